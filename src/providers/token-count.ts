/** Largest count that the contract holds. */
export const MAX_COUNT = 2 ** 31 - 1;

/** A count of tokens as a provider says it; what is none, or negative, counts nothing. */
export const tokenCount = (value: unknown): number => (isCount(value) ? Math.min(value, MAX_COUNT) : 0);

/** A bound of tokens as a list of models says it: at least 1, and no more than the contract holds; undefined for anything else. */
export const tokenBound = (value: unknown): number | undefined =>
  isCount(value) && value > 0 && value <= MAX_COUNT ? value : undefined;

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value) && value >= 0;
