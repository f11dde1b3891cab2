import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { formatPath, type PathSegment } from "./path.ts";

/** Where in a JSON value, or in a message, the codec is. */
export interface Place {
  /** Path of the whole. */
  readonly prefix: string;
  /** The steps from there; they come and go with the descent. */
  readonly path: PathSegment[];
}

/** The path of a place, or of a key in it. */
export function pathOf({ prefix, path }: Place, key?: string): string {
  return formatPath(key === undefined ? path : [...path, key], prefix);
}

/** Throws a GatewayError about a place: "<path> <problem>". */
export function refuse(place: Place, problem: string, reason: Reason = Reason.INVALID_VALUE): never {
  const param = pathOf(place) || undefined;
  throw new GatewayError(reason, `${param ?? "the JSON"} ${problem}`, { param });
}

/** Throws a GatewayError INVALID_VALUE: "<path> must be <expected>, not <what came>". Of what came it tells the type only. */
export function refuseType(place: Place, expected: string, json: unknown): never {
  return refuse(place, `must be ${expected}, not ${typeOf(json)}`);
}

function typeOf(json: unknown): string {
  if (json === null) return "null";
  if (Array.isArray(json)) return "an array";
  if (typeof json === "object") return "an object";
  return `a ${typeof json}`;
}

/** What is shown of a word that is none of an enum's: it must not be long, or have anything but word characters. */
const SHOWN_WORD = /^[\w.-]{1,24}$/;

/** Throws a GatewayError INVALID_VALUE that lists the words which are allowed. */
export function refuseWord(place: Place, words: Iterable<string>, json: unknown): never {
  const shown = typeof json === "string" ? (SHOWN_WORD.test(json) ? `"${json}"` : "another string") : typeOf(json);
  return refuse(place, `must be ${listWords(words)}, not ${shown}`);
}

/** `"a"`, or `one of "a", "b"`. */
function listWords(words: Iterable<string>): string {
  const quoted = Array.from(words, (word) => `"${word}"`);
  return quoted.length === 1 ? quoted[0]! : `one of ${quoted.join(", ")}`;
}
