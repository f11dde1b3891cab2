/** Where a request goes, as it stands in its first line: nothing is decoded. */
export interface RequestTarget {
  /** From the first slash on: "/v1/models". */
  readonly path: string;
  /** What stands after the question mark; empty: nothing. */
  readonly query: string;
}

/**
 * Takes the target of a request apart: "/path?query", or "http://host/path?query" as proxies send it (RFC 9112 §3.2).
 */
export function parseRequestTarget(url: string): RequestTarget {
  const mark = url.indexOf("?");
  const beforeQuery = mark === -1 ? url : url.slice(0, mark);
  return { path: withoutAuthority(beforeQuery), query: mark === -1 ? "" : url.slice(mark + 1) };
}

function withoutAuthority(target: string): string {
  const scheme = /^https?:\/\//i.exec(target)?.[0];
  if (scheme === undefined) return target;
  const slash = target.indexOf("/", scheme.length);
  return slash === -1 ? "/" : target.slice(slash);
}
