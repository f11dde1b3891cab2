import type { DescMessage, JsonObject, JsonValue, MessageShape } from "@bufbuild/protobuf";
import { decodeJson } from "../../openai-json/decode.ts";

/** What an object says besides the keys that are read one by one, or are noise; undefined: nothing. Null says nothing. */
export function restOf(json: JsonObject, known: ReadonlySet<string>): JsonObject | undefined {
  let rest: JsonObject | undefined;
  for (const key of Object.keys(json)) {
    const value = json[key] as JsonValue;
    // The key "__proto__" would become a prototype.
    if (value === null || known.has(key) || key === "__proto__") continue;
    rest ??= {};
    rest[key] = value;
  }
  return rest;
}

/**
 * Makes a message of what an answer says besides its essentials: `blank()` where that is nothing. A key whose value is not what the contract
 * says is left out: an answer is not lost for its decoration.
 */
export function decodeRest<Desc extends DescMessage>(
  schema: Desc,
  blank: () => MessageShape<Desc>,
  json: JsonObject | undefined,
): MessageShape<Desc> {
  if (json === undefined) return blank();
  return tryDecode(schema, json) ?? decodeJson(schema, soundPart(schema, json), { enums: "lenient" });
}

function tryDecode<Desc extends DescMessage>(schema: Desc, json: JsonObject): MessageShape<Desc> | undefined {
  try {
    return decodeJson(schema, json, { enums: "lenient" });
  } catch {
    return undefined; // Which key it was, the caller finds out.
  }
}

function soundPart(schema: DescMessage, json: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(json).filter(([key, value]) => tryDecode(schema, { [key]: value })));
}
