import { toJson } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ModelSchema } from "../../../src/gen/parley/models/v1/models_service_pb.ts";
import { providerOf, thrownBy } from "./support.ts";

const read = (json: unknown) => {
  const { models, next } = providerOf("generic").decodeModels(JSON.stringify(json));
  expect(next).toBeUndefined();
  return models.map((model) => toJson(ModelSchema, model, { useProtoFieldName: true }));
};

describe("decodeModels()", () => {
  it("reads OpenAI's list", () => {
    expect(
      read({
        object: "list",
        data: [{ id: "gpt-4o", object: "model", created: 5, owned_by: "system", shutdown_date: null }],
      }),
    ).toEqual([{ id: "gpt-4o", created: "5", owned_by: "system" }]);
  });

  it("reads what OpenRouter says besides", () => {
    const model = {
      id: "a/b",
      created: 5,
      context_length: 1000,
      top_provider: { max_completion_tokens: 100 },
      architecture: { input_modalities: ["text", "image", "smell"], output_modalities: ["text"] },
      supported_parameters: ["tools"],
      pricing: { prompt: "0.000003", completion: "0.0000000001", request: "0" },
    };
    expect(read({ data: [model] })).toEqual([
      {
        id: "a/b",
        created: "5",
        context_window: 1000,
        max_output_tokens: 100,
        input_modalities: ["MODALITY_TEXT", "MODALITY_IMAGE"],
        output_modalities: ["MODALITY_TEXT"],
        tools: true,
        pricing: { input: "3000000000", output: "100000" },
      },
    ]);
  });

  it("reads the lists of Google's endpoint, Groq, Mistral, Azure and Together, without models that do not chat", () => {
    expect(read({ data: [{ id: "models/gemini-x" }] })).toEqual([{ id: "gemini-x" }]);
    expect(
      read({
        data: [
          { id: "a", active: true, context_window: 8 },
          { id: "b", active: false },
        ],
      }),
    ).toEqual([{ id: "a", context_window: 8 }]);
    const capabilities = { completion_chat: true, function_calling: false };
    expect(
      read({
        data: [
          { id: "a", capabilities },
          { id: "b", capabilities: { completion_chat: false } },
        ],
      }),
    ).toEqual([{ id: "a", tools: false }]);
    const ofAzure = (chat_completion: boolean) => ({ chat_completion, inference: true });
    expect(
      read({
        data: [
          { id: "a", capabilities: ofAzure(true) },
          { id: "b", capabilities: ofAzure(false) },
        ],
      }),
    ).toEqual([{ id: "a" }]);
    expect(read([{ id: "a", type: "chat" }, { id: "b", type: "embedding" }, { id: 7 }, null])).toEqual([{ id: "a" }]);
  });

  it.each(["", "<html>", "{}", '{"data":{}}'])("refuses %j", (body) => {
    expect(thrownBy(() => providerOf("generic").decodeModels(body)).reasonName).toBe("UPSTREAM_INVALID_RESPONSE");
  });

  it("asks for them", () => {
    expect(providerOf("generic").modelsRequest).toEqual({ method: "GET", path: "/models" });
  });
});
