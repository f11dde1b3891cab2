import type { GatewayError } from "../errors/gateway-error.ts";
import type { Attempt_Move, Attempt_Outcome } from "../gen/parley/chat/v1/report_pb.ts";

/** One try to get an answer, written down while it is made. Times are milliseconds since the arrival of the call. */
export interface AttemptRecord {
  /** "provider/model". */
  readonly target: string;
  /** Id of the provider. */
  readonly provider: string;
  /** The provider's own name of the model. */
  readonly model: string;
  /** Which of the provider's keys it is made with, from 0; undefined: there is no choice. */
  readonly credential: number | undefined;
  /** Whether it is made beside another one that is silent. */
  readonly hedge: boolean;
  readonly startedMs: number;
  /** How long the call waited for a place at the target before; undefined: it did not. */
  readonly queuedMs: number | undefined;
  /** When the head of the answer came. */
  headMs?: number;
  /** When the first output came. */
  firstMs?: number;
  endedMs?: number;
  /** OUTCOME_UNSPECIFIED while it runs. */
  outcome: Attempt_Outcome;
  /** Why it failed, or was not made. */
  error?: GatewayError;
  /** What the gateway did after it. */
  move: Attempt_Move;
}
