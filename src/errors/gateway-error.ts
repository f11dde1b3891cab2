import { Code, ConnectError } from "@connectrpc/connect";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { CATALOGUE, type CatalogueRow } from "./catalogue.ts";

/** One thing that is wrong with a request. */
export interface Violation {
  /** Path of the field from the request message on: "params.messages[2].content[0].image_url.url". */
  readonly path: string;
  /** What is wrong: the value, where it is short, and the bound. */
  readonly description: string;
  /** Id of the rule, such as "double.gte_lte". */
  readonly rule: string;
}

/** What an error carries besides its reason and message. */
export interface ErrorDetails {
  /** JSON path of the parameter that the caller has to change, in OpenAI's shape: "messages[2].content[0].image_url.url". */
  readonly param?: string | undefined;
  /** `error.code` where it is more exact than the catalogue's. */
  readonly code?: string | undefined;
  /** `error.type` where it is more exact than the catalogue's. */
  readonly type?: string | undefined;
  /** All violations of the request; the first one is also `param` and message. */
  readonly violations?: readonly Violation[] | undefined;
  /** The least time to wait before the call is made again, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Whose quota is exhausted: "provider:openai". */
  readonly quota?: string | undefined;
  /** Whether the same call may succeed when it is made again, where that is known better than by the reason. */
  readonly retryable?: boolean | undefined;
  /** HTTP methods that the path does take (method not allowed). */
  readonly allow?: readonly string[] | undefined;
  /** What led here. It is logged, and never sent. */
  readonly cause?: unknown;
}

/** The one error of the project. Its message is written for the caller: no keys, prompts or upstream bodies in it. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly reason: Reason;
  readonly details: ErrorDetails;

  constructor(reason: Reason, message: string, details: ErrorDetails = {}) {
    // A caller's text that was cut may end in half of a character, which no wire takes.
    super(message.toWellFormed(), details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.details = details;
  }

  /** The catalogue's row of the reason. */
  get row(): CatalogueRow {
    return CATALOGUE[this.reason] ?? CATALOGUE[Reason.INTERNAL];
  }

  /** `error.type` in OpenAI's JSON. */
  get type(): string {
    return this.details.type ?? this.row.type;
  }

  /** `error.code` in OpenAI's JSON. */
  get code(): string | null {
    return this.details.code ?? this.row.code;
  }

  /** Whether the same call may succeed when it is made again. */
  get retryable(): boolean {
    return this.details.retryable ?? this.row.retryable;
  }

  /** Name of the reason, without its prefix: "MODEL_NOT_FOUND". */
  get reasonName(): string {
    return Reason[this.reason] ?? Reason[Reason.INTERNAL];
  }

  /**
   * Makes a GatewayError of anything thrown. What is not one of ours, or a protocol error of the RPC layer, is a fault of the
   * gateway: its text is not shown to the caller, and it is the cause.
   */
  static from(thrown: unknown): GatewayError {
    if (thrown instanceof GatewayError) return thrown;
    if (thrown instanceof ConnectError) {
      if (thrown.cause instanceof GatewayError) return thrown.cause;
      return new GatewayError(REASON_OF_CODE[thrown.code], thrown.rawMessage, { cause: thrown });
    }
    return new GatewayError(Reason.INTERNAL, "the gateway failed; the fault is in its log under this request id", {
      cause: thrown,
    });
  }
}

/** What the RPC layer says by itself, before any of our code runs. */
const REASON_OF_CODE: Readonly<Record<Code, Reason>> = {
  [Code.Canceled]: Reason.CANCELLED,
  [Code.Unknown]: Reason.INTERNAL,
  [Code.InvalidArgument]: Reason.INVALID_REQUEST,
  [Code.DeadlineExceeded]: Reason.DEADLINE_EXCEEDED,
  [Code.NotFound]: Reason.NOT_FOUND,
  [Code.AlreadyExists]: Reason.CONFLICT,
  [Code.PermissionDenied]: Reason.PERMISSION_DENIED,
  [Code.ResourceExhausted]: Reason.REQUEST_TOO_LARGE,
  [Code.FailedPrecondition]: Reason.INVALID_REQUEST,
  [Code.Aborted]: Reason.CONFLICT,
  [Code.OutOfRange]: Reason.INVALID_REQUEST,
  [Code.Unimplemented]: Reason.NOT_IMPLEMENTED,
  [Code.Internal]: Reason.INTERNAL,
  [Code.Unavailable]: Reason.OVERLOADED,
  [Code.DataLoss]: Reason.INTERNAL,
  [Code.Unauthenticated]: Reason.INVALID_API_KEY,
};
