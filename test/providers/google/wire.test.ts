import type * as genai from "@google/genai";
import { describe, expectTypeOf, it } from "vitest";
import type * as wire from "../../../src/providers/google/wire.ts";

/** The vendor's enums have the wire's words as their values; as texts they are the same. */
type Words<T> = T extends string
  ? `${T}`
  : T extends readonly (infer Element)[]
    ? Words<Element>[]
    : T extends object
      ? { [Key in keyof T]: Words<T[Key]> }
      : T;

/** What the vendor's type takes, without what only its later versions may have. */
type Takes<T> = { [Key in keyof T]?: Words<T[Key]> | undefined };

describe("what is sent", () => {
  it("is what the vendor's own types take", () => {
    expectTypeOf<wire.Blob>().toExtend<Takes<genai.Blob>>();
    expectTypeOf<wire.FileData>().toExtend<Takes<genai.FileData>>();
    expectTypeOf<wire.VideoMetadata>().toExtend<Takes<genai.VideoMetadata>>();
    expectTypeOf<wire.FunctionCall>().toExtend<Takes<genai.FunctionCall>>();
    expectTypeOf<Omit<wire.FunctionResponse, "parts">>().toExtend<Takes<Omit<genai.FunctionResponse, "parts">>>();
    expectTypeOf<NonNullable<wire.FunctionResponse["parts"]>[number]>().toExtend<Takes<genai.FunctionResponsePart>>();
    expectTypeOf<wire.FunctionDeclaration>().toExtend<Takes<genai.FunctionDeclaration>>();
    expectTypeOf<wire.FunctionCallingConfig>().toExtend<Takes<genai.FunctionCallingConfig>>();
    expectTypeOf<wire.ToolConfig>().toExtend<Takes<genai.ToolConfig>>();
    expectTypeOf<wire.ThinkingConfig>().toExtend<Takes<genai.ThinkingConfig>>();
    expectTypeOf<Omit<wire.GenerationConfig, "responseSchema">>().toExtend<Takes<genai.GenerationConfig>>();
    expectTypeOf<NonNullable<wire.GenerateContentRequest["serviceTier"]>>().toExtend<`${genai.ServiceTier}`>();
  });

  it("has no key that the vendor's types do not have", () => {
    expectTypeOf<keyof wire.Content>().toExtend<keyof genai.Content>();
    expectTypeOf<keyof wire.Part>().toExtend<keyof genai.Part>();
    expectTypeOf<keyof wire.Blob>().toExtend<keyof genai.Blob>();
    expectTypeOf<keyof wire.FileData>().toExtend<keyof genai.FileData>();
    expectTypeOf<keyof wire.FunctionCall>().toExtend<keyof genai.FunctionCall>();
    expectTypeOf<keyof wire.FunctionResponse>().toExtend<keyof genai.FunctionResponse>();
    expectTypeOf<keyof wire.FunctionDeclaration>().toExtend<keyof genai.FunctionDeclaration>();
    expectTypeOf<keyof wire.Tool>().toExtend<keyof genai.Tool>();
    expectTypeOf<keyof wire.ToolConfig>().toExtend<keyof genai.ToolConfig>();
    expectTypeOf<keyof wire.GenerationConfig>().toExtend<keyof genai.GenerationConfig>();
    // Beside the contents and the configuration, the vendor's client takes these as parts of its own configuration.
    expectTypeOf<Exclude<keyof wire.GenerateContentRequest, "contents" | "generationConfig">>().toExtend<
      keyof genai.GenerateContentConfig
    >();
  });
});
