import { create, type DescMessage, equals, type JsonObject } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChatCompletionChunkSchema, ChatCompletionSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { FunctionDefinitionSchema } from "../../src/gen/parley/chat/v1/tool_pb.ts";
import { ConfigSchema } from "../../src/gen/parley/config/v1/config_pb.ts";
import { ListModelsResponseSchema } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { encodeJson, stringifyJson } from "../../src/openai-json/encode.ts";
import { parseJson } from "../../src/openai-json/parse.ts";
import { arbitraryMessage } from "./support/arbitrary-message.ts";
import { reachableFields, setFields } from "./support/fields-of.ts";

describe.each<[string, DescMessage]>([
  ["parameters", ChatCompletionParamsSchema],
  ["a completion", ChatCompletionSchema],
  ["a chunk", ChatCompletionChunkSchema],
  ["models", ListModelsResponseSchema],
  ["a configuration", ConfigSchema],
])("%s", (_, desc) => {
  // "lenient" is how an upstream's answer is read; what is known must come back in both ways.
  const enums = fc.constantFrom("strict" as const, "lenient" as const);
  const cases = fc.tuple(arbitraryMessage(desc), fc.boolean(), enums);

  it("comes back from its JSON as it was", () => {
    fc.assert(
      fc.property(cases, ([message, nulls, enums]) => {
        const unknown: string[] = [];
        const json = encodeJson(desc, message, { nulls });
        const decoded = decodeJson(desc, json, { enums, onUnknownKey: (path) => unknown.push(path) });
        expect(decoded).toEqual(message);
        expect(equals(desc, decoded, message)).toBe(true);
        expect(unknown).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it("has the same JSON as value and as text, and both are stable", () => {
    fc.assert(
      fc.property(cases, ([message, nulls]) => {
        const json = encodeJson(desc, message, { nulls });
        expect(parseJson(stringifyJson(desc, message, { nulls }))).toStrictEqual(json);
        expect(encodeJson(desc, decodeJson(desc, json), { nulls })).toStrictEqual(json);
      }),
      { numRuns: 200 },
    );
  });

  it("is generated with every field, and every word of every enum, that it can have", () => {
    const seen = new Set(
      fc.sample(arbitraryMessage(desc), { numRuns: 400, seed: 1 }).flatMap((m) => setFields(desc, m)),
    );
    // Schemas as JSON text come back as Structs: see "schemas as JSON text".
    const never = reachableFields(desc).filter(
      (field) => !seen.has(field) && !/\.(parameters|schema)_json$/.test(field),
    );
    expect(never).toEqual([]);
  });
});

describe("schemas as JSON text", () => {
  it("are written like the Structs of the same JSON, and come back as those", () => {
    const schemas = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 3, noNullPrototype: true });
    fc.assert(
      fc.property(schemas, (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes("__proto__"));
        const schema = JSON.parse(text) as JsonObject;
        const asText = create(FunctionDefinitionSchema, { schema: { case: "parametersJson", value: text } });
        const asStruct = create(FunctionDefinitionSchema, { schema: { case: "parameters", value: schema } });
        const json = encodeJson(FunctionDefinitionSchema, asText);
        expect(json).toStrictEqual(encodeJson(FunctionDefinitionSchema, asStruct));
        expect(decodeJson(FunctionDefinitionSchema, json)).toEqual(asStruct);
      }),
    );
  });
});
