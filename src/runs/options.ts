import type { LookupFunction } from "node:net";
import type { Caller } from "../admission/caller.ts";
import type { RunSettings } from "../config/settings.ts";
import type { CallContext, GatewayOperations } from "../gateway/operation.ts";
import type { ChatCompletion } from "../gen/parley/chat/v1/completion_pb.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import type { CreateRunRequest } from "../gen/parley/runs/v1/runs_service_pb.ts";
import type { LateStore } from "../store/store.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import type { Logger } from "../telemetry/logger.ts";

/** What runs are made of. */
export interface RunsOptions {
  readonly store: LateStore;
  readonly settings: RunSettings;
  /** What workers call; as it is at the time of each call, where it changes. */
  readonly operations: Pick<GatewayOperations, "streamChatCompletion">;
  /** A caller as it is now; undefined: it may not call any more. */
  readonly recall: (before: Caller) => Promise<Caller | undefined>;
  readonly logger: Logger;
  /**
   * Admits a request in the place of the check of its parameters alone, and fails where its run is bound to fail, too, as far as that can be
   * told without a call.
   */
  readonly check?: (request: CreateRunRequest, call: CallContext) => void | Promise<void>;
  /** Is told of every execution that ended, but for those that only found out that they have to wait. */
  readonly finished?: (log: CallLog, execution: EndedExecution) => void;
  /** Addresses that webhooks reach though they are not public, each in full: "127.0.0.1". For tests. */
  readonly allowAddresses?: readonly string[];
  /** Resolves the names of webhooks; unset: as the system does. For tests. */
  readonly lookup?: LookupFunction;
  /** Times after which a webhook is tried again, the last one over and over, in milliseconds. For tests. */
  readonly webhookDelaysMs?: readonly number[];
}

/** What is known of an execution besides its log. */
export interface EndedExecution {
  readonly runUid: string;
  readonly durationMs: number;
  /** As it is now, or as it was where it may not call any more. */
  readonly caller: Caller;
  readonly params: ChatCompletionParams | undefined;
  /** Undefined where it did not end with one. */
  readonly completion: ChatCompletion | undefined;
}
