import type { OpenAI } from "openai";
import { describe, expectTypeOf, it } from "vitest";
import type { ChatRequest, WireChunk, WireCompletion } from "../../../src/providers/openai-compatible/wire.ts";

/** Every role that OpenAI has, and no other. */
type Roles = OpenAI.ChatCompletionMessageParam["role"];

describe("wire types", () => {
  it("take what OpenAI's package says that answers are", () => {
    expectTypeOf<OpenAI.ChatCompletion>().toExtend<WireCompletion>();
    expectTypeOf<OpenAI.ChatCompletionChunk>().toExtend<WireChunk>();
  });

  it("know the roles of requests, and what is asked of a stream", () => {
    expectTypeOf<ChatRequest["messages"][number]["role"]>().toEqualTypeOf<Roles>();
    expectTypeOf<NonNullable<ChatRequest["stream_options"]>>().toExtend<OpenAI.ChatCompletionStreamOptions>();
  });
});
