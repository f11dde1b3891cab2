import { type Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "../../src/gen/google/rpc/error_details_pb.ts";

/** What stands in the google.rpc details of an error only. */
export interface GoogleDetails {
  /** "parley: MODEL_NOT_FOUND". */
  readonly reason: string;
  /** Of BadRequest. */
  readonly fields: readonly string[];
  /** Subjects of QuotaFailure. */
  readonly quotas: readonly string[];
}

/** What the headers (of gRPC, the trailers) tell of calling again, as they stand there; null for what is not there. */
export interface RetryHeaders {
  readonly after: string | null;
  readonly afterMs: string | null;
  readonly should: string | null;
}

export const readRetryHeaders = (headers: Pick<Headers, "get">): RetryHeaders => ({
  after: headers.get("retry-after"),
  afterMs: headers.get("retry-after-ms"),
  should: headers.get("x-should-retry"),
});

/** What a call failed with, whichever door it came through. */
export class DoorError extends Error {
  override readonly name = "DoorError";
  /** `error.type` of OpenAI's JSON; on the other doors, of the ErrorInfo. */
  readonly type: string;
  readonly code: string | null;
  readonly param: string | null;
  readonly retryAfterMs: number | undefined;
  /** Undefined where a REST stream failed after its headers. */
  readonly retryHeaders: RetryHeaders | undefined;
  /** HTTP status on REST, Connect code on the other doors; undefined where a REST stream failed after its headers. */
  readonly status: number | Code | undefined;
  /** What google.rpc details say besides; undefined on REST. */
  readonly details: GoogleDetails | undefined;

  constructor(message: string, fields: Omit<DoorError, keyof Error>) {
    super(message);
    this.type = fields.type;
    this.code = fields.code;
    this.param = fields.param;
    this.retryAfterMs = fields.retryAfterMs;
    this.retryHeaders = fields.retryHeaders;
    this.status = fields.status;
    this.details = fields.details;
  }

  /** Reads an error of gRPC, gRPC-Web or Connect; what is none is thrown again. */
  static fromConnect(thrown: unknown): DoorError {
    if (!(thrown instanceof ConnectError)) throw thrown;
    const [info] = thrown.findDetails(ErrorInfoSchema);
    const [retry] = thrown.findDetails(RetryInfoSchema);
    const delay = retry?.retryDelay;
    return new DoorError(thrown.rawMessage, {
      type: info?.metadata["type"] ?? "",
      code: info?.metadata["code"] ?? null,
      param: info?.metadata["param"] ?? null,
      retryAfterMs: delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6,
      retryHeaders: readRetryHeaders(thrown.metadata),
      status: thrown.code,
      details: {
        reason: `${info?.domain}: ${info?.reason}`,
        fields: thrown
          .findDetails(BadRequestSchema)
          .flatMap(({ fieldViolations }) => fieldViolations.map(({ field }) => field)),
        quotas: thrown
          .findDetails(QuotaFailureSchema)
          .flatMap(({ violations }) => violations.map(({ subject }) => subject)),
      },
    });
  }

  /** Reads OpenAI's error object; anything else is a fault. */
  static fromJson(json: unknown, status?: number, retryHeaders?: RetryHeaders): DoorError {
    const { error } = json as { error: { message: string; type: string; code: string | null; param: string | null } };
    if (Object.keys(error).sort().join() !== "code,message,param,type")
      throw new Error(`not an error: ${JSON.stringify(json)}`);
    const afterMs = retryHeaders?.afterMs ?? null;
    const retryAfterMs = afterMs === null ? undefined : Number(afterMs);
    return new DoorError(error.message, { ...error, status, retryAfterMs, retryHeaders, details: undefined });
  }
}
