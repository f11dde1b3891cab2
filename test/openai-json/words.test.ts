import { describe, expect, it } from "vitest";
import { FinishReasonSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { ReasoningDetail_TypeSchema } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { PromptCacheRetention, PromptCacheRetentionSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { ToolChoice_ModeSchema } from "../../src/gen/parley/chat/v1/tool_pb.ts";
import { Log_LevelSchema } from "../../src/gen/parley/config/v1/config_pb.ts";
import { enumWords } from "../../src/openai-json/words.ts";

describe("enumWords()", () => {
  it.each([
    [FinishReasonSchema, ["stop", "length", "tool_calls", "content_filter", "function_call"]],
    [ReasoningDetail_TypeSchema, ["reasoning.text", "reasoning.summary", "reasoning.encrypted"]],
    [PromptCacheRetentionSchema, ["in_memory", "24h"]],
    [ToolChoice_ModeSchema, ["none", "auto", "required"]],
    [Log_LevelSchema, ["silent", "error", "warn", "info", "debug"]],
  ])("gives each value of %s but zero a word", (desc, words) => {
    const { wordOf, numberOf } = enumWords(desc);
    expect([...wordOf.values()]).toEqual(words);
    expect([...wordOf]).toEqual(words.map((word, index) => [index + 1, word]));
    expect([...numberOf]).toEqual(words.map((word, index) => [word, index + 1]));
  });

  it("knows a word of an option by its number", () => {
    expect(enumWords(PromptCacheRetentionSchema).numberOf.get("24h")).toBe(PromptCacheRetention.ONE_DAY);
  });
});
