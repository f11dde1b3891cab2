import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { AudioParams_Format, OutputModality, ReasoningEffort } from "../../src/gen/parley/chat/v1/params_pb.ts";
import type { Params } from "../support/doors.ts";
import type { Reading } from "./reading/reading.ts";
import type { Recording } from "./recordings.ts";

/** Parameters that a recording is an answer to: they ask for what stands in it, and no more. */
export function paramsFor({ provider, name }: Recording, reading: Reading): Params {
  const choices = reading.kind === "answer" ? reading.answer.choices : [];
  const calls = choices.flatMap((choice) => choice.calls);
  const names = [...new Set(calls.map((call) => `${call.type} ${call.name}`))].map((it) => it.split(" "));
  const legacy = choices.flatMap(({ functionCall }) => functionCall ?? []);
  return {
    model: `${provider}/${name}`,
    messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: "Well?" } }] }],
    ...(choices.length > 1 && { n: choices.length }),
    ...(choices.some(({ logprobs }) => logprobs.length > 0) && {
      logprobs: true,
      topLogprobs: 2,
      reasoningEffort: ReasoningEffort.NONE, // With any other, newer models take no logprobs.
    }),
    ...(choices.some(({ audio }) => audio) && {
      modalities: [OutputModality.TEXT, OutputModality.AUDIO],
      audio: { format: AudioParams_Format.WAV, voice: { kind: { case: "name", value: "alloy" } } },
    }),
    tools: names.map(([type, tool = ""]) => ({
      kind: type === "custom" ? { case: "custom", value: { name: tool } } : { case: "function", value: { name: tool } },
    })),
    functions: legacy.map((call) => ({ name: call.name })),
  };
}
