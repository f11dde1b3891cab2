import { GatewayError } from "../errors/gateway-error.ts";
import { type ChatCompletion, type Choice, FinishReason } from "../gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../gen/parley/chat/v1/message_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { Identity } from "./identity.ts";
import { completeUsage } from "./usage.ts";

/**
 * Makes a provider's whole answer ours: its identity, choices in order, usage with all details. Fails with
 * UPSTREAM_INVALID_RESPONSE when a choice is missing or has not ended.
 */
export function settleCompletion(completion: ChatCompletion, identity: Identity, choices: number): ChatCompletion {
  completion.id = identity.id;
  completion.created = identity.created;
  completion.model = identity.model;
  completion.choices.sort(byIndex);
  if (completion.choices.length !== choices || !completion.choices.every(isWhole)) {
    throw new GatewayError(Reason.UPSTREAM_INVALID_RESPONSE, "the model's answer is not complete");
  }
  for (const { message } of completion.choices) if (message) message.role = Role.ASSISTANT;
  if (completion.usage !== undefined) completeUsage(completion.usage);
  return completion;
}

const byIndex = (a: Choice, b: Choice): number => a.index - b.index;

const isWhole = ({ index, message, finishReason }: Choice, at: number): boolean =>
  index === at && message !== undefined && finishReason !== FinishReason.UNSPECIFIED;
