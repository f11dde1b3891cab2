import type { Requirement, Sampler } from "./sample-types.ts";
import { plausibleNumber } from "./sample-words.ts";
import { checkNumber, readStep } from "./schema-check-scalar.ts";
import { type KeywordNode, readNumber } from "./schema-node.ts";
import { SchemaRefusal } from "./schema-refusal.ts";

interface NumberRange {
  low: number;
  high: number;
}

/** How many multiples of a step are tried from the lower end: binary fractions make some of them inexact. */
const MAX_MULTIPLES = 40;
/** Without bounds, a number is at most this. */
const NATURAL_LIMIT = 100;

/** A number that satisfies a requirement, whole if `whole`. */
export function sampleNumber(requirement: Requirement, whole: boolean, sampler: Sampler): number {
  const { nodes, parts } = requirement;
  const range = readRange(parts);
  const step = commonStep([...parts.flatMap((part) => readStep(part) ?? []), ...(whole ? [1] : [])]);
  for (const candidate of candidates(requirement, range, step, sampler)) {
    // Adding 0 turns -0 into 0.
    const value = candidate + 0;
    const usable = Number.isFinite(value) && (!whole || Number.isInteger(value));
    if (usable && parts.every((part) => checkNumber(value, part)) && sampler.fits(value, nodes)) {
      return value;
    }
  }
  throw new SchemaRefusal(parts[0]!.pointer, `no number was found from ${range.low} to ${range.high}`);
}

/** Numbers worth trying, the best first. */
function* candidates(
  requirement: Requirement,
  range: NumberRange,
  step: number | undefined,
  sampler: Sampler,
): Generator<number> {
  if (requirement.place.variation === 0) {
    yield* suggest(requirement, sampler);
  }
  yield* step === undefined ? fractions(range, requirement.place.variation, sampler) : multiples(range, step, sampler);
}

/** What the conversation says, then what the property's name suggests. */
function suggest({ place }: Requirement, sampler: Sampler): number[] {
  const plausible = plausibleNumber(place.name);
  return [...sampler.hints.numbers(place.name), ...(plausible === undefined ? [] : [plausible, Math.round(plausible)])];
}

/** The bounds of all parts together; exclusive bounds are taken as inclusive here, and the check does the rest. */
function readRange(parts: readonly KeywordNode[]): NumberRange {
  const read = (keyword: string): number[] => parts.flatMap((part) => readNumber(part, keyword) ?? []);
  return {
    low: Math.max(Number.NEGATIVE_INFINITY, ...read("minimum"), ...read("exclusiveMinimum")),
    high: Math.min(Number.POSITIVE_INFINITY, ...read("maximum"), ...read("exclusiveMaximum")),
  };
}

/** Numbers in a range, without regard to steps. */
function fractions(range: NumberRange, variation: number, sampler: Sampler): number[] {
  const { low, high } = narrow(range);
  const between = low + (high - low) * sampler.random.next();
  const rounded = [between.toFixed(0), between.toFixed(1), between.toFixed(2)].map(Number);
  const edges = [low, high, low / 2 + high / 2, nextAbove(low), -nextAbove(-high)];
  return variation > 0 ? [...rounded.slice(1), between, ...edges] : [...rounded, between, ...edges];
}

/** Multiples of a step in a range: some in between, then those at the ends. */
function* multiples(range: NumberRange, step: number, { random }: Sampler): Generator<number> {
  const { low, high } = narrow(range, step);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  const span = Math.min(Math.max(last - first, 0), 2 ** 31);
  const digits = Math.min(15, decimals(step));
  // Beyond the range of doubles there are no multiples to count.
  const counted = Number.isFinite(first) && Number.isFinite(last) ? MAX_MULTIPLES : 0;
  for (let tries = 0; tries < counted; tries++) {
    for (const factor of [first + random.int(span + 1), first + tries, last - tries]) {
      // Both ways of rounding: which of them is an exact multiple depends on the step.
      yield Number((factor * step).toFixed(digits));
      yield factor * step;
    }
  }
  // Where numbers are so large that steps of 1 vanish, the ends and their neighbours are all there is.
  yield* [range.low, range.high, nextAbove(range.low), -nextAbove(-range.high)];
}

/** A finite piece of a range that looks natural: small numbers above 0 where they are allowed. */
function narrow({ low, high }: NumberRange, step = 1): NumberRange {
  const width = Math.max(NATURAL_LIMIT, step * 10);
  if (low === Number.NEGATIVE_INFINITY) {
    return high === Number.POSITIVE_INFINITY || high >= width
      ? { low: Math.min(step, 1), high: width }
      : { low: high > 0 ? 0 : high - width, high };
  }
  const end = Math.max(low, low < 0 ? Math.max(0, low + width) : low + width);
  return { low, high: Math.min(high, end) };
}

/** The smallest step that is a multiple of all, undefined when there is none. Decimal fractions are taken as such. */
function commonStep(steps: readonly number[]): number | undefined {
  if (steps.length === 0) {
    return undefined;
  }
  const scale = 10 ** Math.min(12, Math.max(...steps.map(decimals)));
  const scaled = steps.map((step) => Math.max(1, Math.round(step * scale)));
  return scaled.reduce((a, b) => (a / greatestCommonDivisor(a, b)) * b) / scale;
}

function greatestCommonDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, b];
  while (smaller > 0) {
    [larger, smaller] = [smaller, larger % smaller];
  }
  return larger;
}

/** The digits after the decimal point of a number as it is written. */
function decimals(value: number): number {
  const [mantissa = "", exponent = "0"] = String(value).split("e");
  return Math.max(0, (mantissa.split(".")[1]?.length ?? 0) - Number(exponent));
}

/** A number a little above another one: by the smallest difference that floating point can tell for sure. */
function nextAbove(value: number): number {
  return value + Math.max(Number.MIN_VALUE, Math.abs(value) * Number.EPSILON);
}
