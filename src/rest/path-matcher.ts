import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { PathTemplate, PathVariable } from "./path-parser.ts";

/** What a path and an HTTP method lead to. */
export type PathMatch<T> =
  | { readonly kind: "found"; readonly value: T /** In the template's order. */; readonly variables: readonly string[] }
  | { readonly kind: "not-found" }
  | {
      readonly kind: "method-not-allowed";
      /** The HTTP methods that the path takes, sorted, with HEAD and OPTIONS. */
      readonly allow: readonly string[];
    };

/** Finds the value that is bound to a path. */
export interface PathMatcher<T> {
  /** Binds a value; HTTP method "*" stands for all. Throws an Error when the same paths are bound already. */
  add(httpMethod: string, template: PathTemplate, value: T): void;
  /**
   * Finds what a path, as it stands in the request but without its query, leads to. A literal wins over "*", and "*"
   * over "**". "**" takes one segment or more. HEAD finds what GET does. Each segment is percent-decoded once, after
   * the path was cut at its slashes; throws a GatewayError when that is not possible.
   */
  match(httpMethod: string, path: string): PathMatch<T>;
}

interface Entry<T> {
  readonly template: PathTemplate;
  readonly value: T;
}

/** By HTTP method. */
type End<T> = Map<string, Entry<T>>;

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  any: Node<T> | undefined;
  rest: Node<T> | undefined;
  /** By verb. */
  readonly ends: Map<string, End<T>>;
}

interface Candidate<T> {
  readonly end: End<T>;
  readonly segments: readonly string[];
}

/** Makes a matcher that knows no path yet. */
export function createPathMatcher<T>(): PathMatcher<T> {
  const root = createNode<T>();
  /** The ends of templates that are one path, by that path: what is looked for most is found at once. */
  const plain = new Map<string, End<T>>();
  return {
    add(httpMethod, template, value) {
      const end = endOf(root, template);
      const bound = end.get(httpMethod);
      if (bound !== undefined) {
        throw new Error(`${httpMethod} ${template.source} is bound twice, also as ${bound.template.source}`);
      }
      end.set(httpMethod, { template, value });
      const path = onlyPath(template);
      if (path !== undefined) plain.set(path, end);
    },
    match(httpMethod, path) {
      const known = plain.get(path)?.get(httpMethod);
      if (known !== undefined) return { kind: "found", value: known.value, variables: [] };
      const candidates = findCandidates(root, path);
      if (candidates.length === 0) return { kind: "not-found" };
      for (const { end, segments } of candidates) {
        const entry = entryFor(end, httpMethod);
        if (entry === undefined) continue;
        const variables = entry.template.variables.map((variable) => capture(variable, segments));
        return { kind: "found", value: entry.value, variables };
      }
      return { kind: "method-not-allowed", allow: allowedMethods(candidates.map(({ end }) => end)) };
    },
  };
}

/** The one path that a template stands for, and that reads only one way; undefined where it stands for several. */
function onlyPath({ segments, variables, verb }: PathTemplate): string | undefined {
  if (variables.length > 0 || verb !== "") return undefined;
  let path = "";
  for (const segment of segments) {
    if (segment.kind !== "literal" || /[:%]/.test(segment.text)) return undefined;
    path += `/${segment.text}`;
  }
  return path;
}

function createNode<T>(): Node<T> {
  return { literals: new Map(), any: undefined, rest: undefined, ends: new Map() };
}

function endOf<T>(root: Node<T>, template: PathTemplate): End<T> {
  let node = root;
  for (const segment of template.segments) {
    switch (segment.kind) {
      case "literal": {
        const next = node.literals.get(segment.text) ?? createNode<T>();
        node.literals.set(segment.text, next);
        node = next;
        break;
      }
      case "any":
        node = node.any ??= createNode<T>();
        break;
      case "rest":
        node = node.rest ??= createNode<T>();
        break;
    }
  }
  const end = node.ends.get(template.verb) ?? new Map<string, Entry<T>>();
  node.ends.set(template.verb, end);
  return end;
}

/** All ends that the path leads to, the most specific first. */
function findCandidates<T>(root: Node<T>, path: string): Candidate<T>[] {
  if (!path.startsWith("/")) return [];
  const raw = path.slice(1).split("/");
  // A double slash, or one at the end, names nothing.
  if (raw.includes("")) return [];
  const candidates: Candidate<T>[] = [];
  const segments = raw.map(decodeSegment);
  const last = raw.length - 1;
  const colon = raw[last]!.lastIndexOf(":");
  if (colon > 0) {
    // The reading with a verb comes first, the one without second, so that a variable at the end may hold a colon.
    const before = segments.with(last, decodeSegment(raw[last]!.slice(0, colon)));
    collect(root, before, 0, decodeSegment(raw[last]!.slice(colon + 1)), candidates);
  }
  collect(root, segments, 0, "", candidates);
  return candidates;
}

function collect<T>(
  node: Node<T>,
  segments: readonly string[],
  at: number,
  verb: string,
  candidates: Candidate<T>[],
): void {
  const segment = segments[at];
  if (segment === undefined) {
    const end = node.ends.get(verb);
    if (end !== undefined) candidates.push({ end, segments });
    return;
  }
  const literal = node.literals.get(segment);
  if (literal !== undefined) collect(literal, segments, at + 1, verb, candidates);
  if (node.any !== undefined) collect(node.any, segments, at + 1, verb, candidates);
  const end = node.rest?.ends.get(verb);
  if (end !== undefined) candidates.push({ end, segments });
}

function entryFor<T>(end: End<T>, httpMethod: string): Entry<T> | undefined {
  return end.get(httpMethod) ?? (httpMethod === "HEAD" ? end.get("GET") : undefined) ?? end.get("*");
}

function allowedMethods<T>(ends: readonly End<T>[]): string[] {
  const methods = new Set(["OPTIONS", ...ends.flatMap((end) => [...end.keys()])]);
  if (methods.has("GET")) methods.add("HEAD");
  return [...methods].sort();
}

function capture({ start, end }: PathVariable, segments: readonly string[]): string {
  return segments.slice(start, end).join("/");
}

function decodeSegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    throw new GatewayError(Reason.INVALID_REQUEST, "the path is not percent-encoded UTF-8", { cause: error });
  }
}
