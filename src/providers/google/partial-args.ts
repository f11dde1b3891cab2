import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { setKey } from "../../openai-json/encode-value.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { textIn } from "./json-fields.ts";

/** Most levels of arguments that come in pieces. */
const MAX_DEPTH = 64;

/** A step of a JSON path: ".name", "['name']" or "[0]". */
const STEP = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/y;

/**
 * Puts a piece of arguments (`partialArgs`) into what there is of them: a value at a JSON path. Texts at the same path are appended.
 * Returns whether the piece could be understood.
 */
export function addPartialArg(args: JsonObject, piece: JsonObject): boolean {
  const steps = parsePath(textIn(piece, "jsonPath") ?? "");
  const value = valueIn(piece);
  if (steps === undefined) return false;
  if (value === undefined) return true; // It only says that more will come.
  let place: JsonValue[] | JsonObject = args;
  for (const [at, step] of steps.entries()) {
    const next = steps[at + 1];
    const before = get(place, step);
    if (next === undefined) {
      const isMore = typeof before === "string" && typeof value === "string";
      return put(place, step, isMore ? before + value : value);
    }
    const inner: JsonValue[] | JsonObject =
      Array.isArray(before) || isObject(before) ? before : typeof next === "number" ? [] : {};
    if (inner !== before && !put(place, step, inner)) return false;
    place = inner;
  }
  return false;
}

function parsePath(path: string): (string | number)[] | undefined {
  if (!path.startsWith("$")) return undefined;
  const steps: (string | number)[] = [];
  STEP.lastIndex = 1;
  while (STEP.lastIndex < path.length) {
    const found = STEP.exec(path);
    if (found === null || steps.length === MAX_DEPTH) return undefined;
    const [, name, index, single, double] = found;
    steps.push(index === undefined ? (name ?? (single ?? double ?? "").replace(/\\(.)/g, "$1")) : Number(index));
  }
  return steps.length === 0 ? undefined : steps;
}

function valueIn(piece: JsonObject): JsonValue | undefined {
  if ("nullValue" in piece) return null;
  const { stringValue, numberValue, boolValue } = piece;
  return stringValue ?? numberValue ?? boolValue ?? undefined;
}

const get = (place: JsonValue[] | JsonObject, step: string | number): JsonValue | undefined =>
  Array.isArray(place) ? place[Number(step)] : Object.hasOwn(place, step) ? place[String(step)] : undefined;

/** Sets a value; elements of a list come in order, so none can make a list longer than what was sent. */
function put(place: JsonValue[] | JsonObject, step: string | number, value: JsonValue): boolean {
  if (!Array.isArray(place)) {
    setKey(place, String(step), value);
    return true;
  }
  if (typeof step !== "number" || step > place.length) return false;
  place[step] = value;
  return true;
}
