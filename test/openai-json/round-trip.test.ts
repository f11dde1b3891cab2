import { type DescMessage, equals } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChatCompletionChunkSchema, ChatCompletionSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { ConfigSchema } from "../../src/gen/parley/config/v1/config_pb.ts";
import { ListModelsResponseSchema } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { encodeJson, stringifyJson } from "../../src/openai-json/encode.ts";
import { parseJson } from "../../src/openai-json/parse.ts";
import { arbitraryMessage } from "./support/arbitrary-message.ts";

describe.each<[string, DescMessage]>([
  ["parameters", ChatCompletionParamsSchema],
  ["a completion", ChatCompletionSchema],
  ["a chunk", ChatCompletionChunkSchema],
  ["models", ListModelsResponseSchema],
  ["a configuration", ConfigSchema],
])("%s", (_, desc) => {
  const cases = fc.tuple(arbitraryMessage(desc), fc.boolean());

  it("comes back from its JSON as it was", () => {
    fc.assert(
      fc.property(cases, ([message, nulls]) => {
        const unknown: string[] = [];
        const json = encodeJson(desc, message, { nulls });
        const decoded = decodeJson(desc, json, { onUnknownKey: (path) => unknown.push(path) });
        expect(decoded).toStrictEqual(message);
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
});
