/** The parts of a configured address: where paths are appended, without a slash at its end, and the query that every request carries. */
export interface BaseAddress {
  readonly address: string;
  readonly query: string;
}

/** Takes a configured address apart. */
export function splitAddress(url: string): BaseAddress {
  const at = url.indexOf("?");
  const address = at < 0 ? url : url.slice(0, at);
  return { address: address.replace(/\/+$/, ""), query: at < 0 ? "" : url.slice(at + 1) };
}

/** Configured headers, with their names in lower case. */
export const inLowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
