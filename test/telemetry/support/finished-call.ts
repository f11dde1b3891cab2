import { create } from "@bufbuild/protobuf";
import { GatewayError } from "../../../src/errors/gateway-error.ts";
import { FinishReason, UsageSchema } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { Attempt_Move, Attempt_Outcome } from "../../../src/gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../../src/gen/parley/errors/v1/errors_pb.ts";
import type { AttemptRecord } from "../../../src/telemetry/attempt-record.ts";
import { CallLog, type Door } from "../../../src/telemetry/call-log.ts";
import type { KnownNames } from "../../../src/telemetry/known-names.ts";

/** A text of a caller, which no signal may have. */
export const CALLERS = "s3cr3t-of-the-caller";

/** What the gateway of these tests has. */
export const NAMES: KnownNames = {
  isKnownModel: (name) => ["openai/gpt-4o", "azure/gpt-4o", "auto"].includes(name),
  originOf: (provider) =>
    provider === "openai"
      ? { vendor: "openai", address: { host: "api.openai.com", port: 443 } }
      : { vendor: "azure", address: undefined },
};

/** An attempt at a target, made in the first 50 ms of its call unless it says otherwise. */
export function attemptAt(target: string, fields: Partial<AttemptRecord>): AttemptRecord {
  const [provider = "", model = ""] = target.split("/");
  return {
    target,
    provider,
    model,
    credential: undefined,
    hedge: false,
    startedMs: 0,
    queuedMs: undefined,
    endedMs: 50,
    outcome: Attempt_Outcome.SUCCEEDED,
    move: Attempt_Move.UNSPECIFIED,
    ...fields,
  };
}

/** An error of a provider whose message repeats the caller. */
export const failure = (reason = Reason.UPSTREAM_ERROR): GatewayError => new GatewayError(reason, CALLERS);

/** A streamed call for "auto": one target fails, one is skipped, and one answers. */
export function fallbackCall(door: Door = "rest", model = "gpt-4o"): CallLog {
  const log = new CallLog("req_1", door);
  log.named("StreamChatCompletion");
  log.routed("auto", `azure/${model}`, []);
  log.attempts.push(
    attemptAt(`openai/${model}`, {
      outcome: Attempt_Outcome.FAILED,
      error: failure(),
      move: Attempt_Move.NEXT_TARGET,
      headMs: 20,
    }),
    attemptAt("openai/gpt-4o", {
      startedMs: 50,
      outcome: Attempt_Outcome.SKIPPED,
      error: failure(Reason.OVERLOADED),
      move: Attempt_Move.NEXT_TARGET,
    }),
    attemptAt(`azure/${model}`, { startedMs: 60, queuedMs: 5, headMs: 80, firstMs: 100, endedMs: 260, credential: 1 }),
  );
  log.heardFrom({ id: "chatcmpl-1", model: "gpt-4o-2024-08-06" });
  log.used(create(UsageSchema, { promptTokens: 30, completionTokens: 70, cacheReadInputTokens: 10 }));
  log.finished([FinishReason.STOP]);
  return log;
}
