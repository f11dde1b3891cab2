import { describe, expect, it } from "vitest";
import { Modality } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { abilitiesOf } from "../../src/providers/model-abilities.ts";

const { TEXT, IMAGE, AUDIO, VIDEO, FILE } = Modality;
const can = (input: readonly Modality[], output: readonly Modality[], tools?: boolean) => ({ input, output, tools });

const READS_ALL = can([TEXT, IMAGE, AUDIO, VIDEO, FILE], [TEXT], true);
const READS_FILES = can([TEXT, IMAGE, FILE], [TEXT], true);
const READS_IMAGES = can([TEXT, IMAGE], [TEXT], true);
const READS_TEXT = can([TEXT], [TEXT], true);

describe("abilitiesOf()", () => {
  it.each([
    ["openai", "gpt-3.5-turbo-0125", READS_TEXT],
    ["openai", "gpt-3.5-turbo-instruct", undefined],
    ["openai", "gpt-4", READS_TEXT],
    ["openai", "gpt-4-0613", READS_TEXT],
    ["openai", "gpt-4-turbo-2024-04-09", READS_IMAGES],
    ["openai", "gpt-4o-2024-08-06", READS_FILES],
    ["openai", "gpt-4o-audio-preview", can([TEXT, AUDIO], [TEXT, AUDIO], true)],
    ["openai", "gpt-4o-mini-audio-preview", can([TEXT, AUDIO], [TEXT, AUDIO], true)],
    ["openai", "gpt-audio-mini", can([TEXT, AUDIO], [TEXT, AUDIO], true)],
    ["openai", "gpt-4o-mini-tts", undefined],
    ["openai", "gpt-4o-transcribe", undefined],
    ["openai", "gpt-4o-search-preview", undefined],
    ["openai", "gpt-realtime", undefined],
    ["openai", "gpt-image-1", undefined],
    ["openai", "gpt-4.1-nano", READS_FILES],
    ["openai", "gpt-5", READS_FILES],
    ["openai", "gpt-5-chat-latest", can([TEXT, IMAGE], [TEXT])],
    ["openai", "gpt-5.1-codex", READS_FILES],
    ["openai", "gpt-12", READS_FILES],
    ["openai", "o1", READS_FILES],
    ["openai", "o1-2024-12-17", READS_FILES],
    ["openai", "o1-mini", can([TEXT], [TEXT], false)],
    ["openai", "o3-mini", READS_TEXT],
    ["openai", "o3", READS_FILES],
    ["openai", "o4-mini-2025-04-16", READS_FILES],
    ["openai", "text-embedding-3-small", undefined],
    ["openai", "claude-opus-5", undefined],
    ["openai", "omni-moderation-latest", undefined],
    ["azure", "GPT-4o", READS_FILES],
    ["azure", "gpt-35-turbo", READS_TEXT],
    ["azure", "claude-opus-5", READS_FILES],
    ["azure", "my-deployment", undefined],
    ["anthropic", "claude-2.1", can([TEXT], [TEXT], false)],
    ["anthropic", "claude-3-haiku-20240307", READS_IMAGES],
    ["anthropic", "claude-3-5-haiku-latest", READS_FILES],
    ["anthropic", "claude-fable-7", READS_FILES],
    ["google", "gemini-2.5-flash", READS_ALL],
    ["google", "gemini-9-pro", READS_ALL],
    ["google", "gemini-2.5-flash-image", can([TEXT, IMAGE], [TEXT, IMAGE])],
    ["google", "gemini-2.5-pro-preview-tts", can([TEXT], [AUDIO], false)],
    ["google", "gemini-2.5-flash-native-audio-preview", undefined],
    ["google", "gemini-embedding-001", undefined],
    ["google", "gemma-3-27b-it", undefined],
    ["google", "claude-opus-4-5@20251101", READS_FILES],
    ["groq", "gpt-4o", undefined],
    ["constructor", "gpt-4o", undefined],
  ])("of %s knows %s", (vendor, model, abilities) => {
    expect(abilitiesOf(vendor, model)).toEqual(abilities);
  });
});
