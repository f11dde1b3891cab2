/**
 * Telemetry: what is known of each call, and the lines that are logged of it. No prompt, answer, key or upstream body gets here, but for
 * what a caller has kept in the log of requests, which is in no line, metric or span.
 */
import type { GatewayError } from "../errors/gateway-error.ts";
import type { FinishReason, Usage } from "../gen/parley/chat/v1/completion_pb.ts";
import type { Adjustment } from "../gen/parley/chat/v1/report_pb.ts";
import type { AttemptRecord } from "./attempt-record.ts";
import { formatAdjustments } from "./format-adjustments.ts";
import { formatAttempts } from "./format-attempts.ts";

/** The way a call came in; "run": a worker makes it for a run. */
export type Door = "rest" | "connect" | "grpc" | "grpc-web" | "run";

/** The fields of a call's line in the log, besides those of its HTTP exchange. */
export interface CallFields {
  requestId: string;
  door: Door;
  /** Id of the key, "jwt:" and the token's subject, or "open" where nobody has to say who they are. Unset where it was not found out. */
  keyId?: string;
  /** Uid of the run that it is made for. */
  runUid?: string;
  /** Name of the rpc: "CreateChatCompletion". */
  operation?: string;
  /** The model that was asked for. */
  model?: string;
  /** The "provider/model" that was called. */
  target?: string;
  /** What was adjusted, without values: "top_k=dropped". Unset where nothing was. */
  adjustments?: readonly string[];
  /** What was tried, where that was more than one success: "a/x=overloaded;ms=12". Of more than 20, the first 20, and "…". */
  attempts?: readonly string[];
  /** The provider's own id of the answer. */
  upstreamId?: string;
  /** The model that the provider says it answered with. */
  upstreamModel?: string;
  promptTokens?: number;
  completionTokens?: number;
  /** What the call cost, in nano-dollars. */
  costNanoDollars?: number;
  /** From the arrival of the request to the first output, in milliseconds. */
  firstChunkMs?: number;
  /** Name of the error's reason: "MODEL_NOT_FOUND". */
  reason?: string;
  /** Id of the trace that has the call's span: 32 hexadecimal digits. Unset where no traces are made. */
  traceId?: string;
}

/** Rpcs that answer piece by piece. */
const STREAMS: ReadonlySet<string> = new Set(["StreamChatCompletion", "WatchRun"]);

/** Longest text of a provider's, and longest name of a model that nobody may have, that is kept whole. */
const MAX_TEXT = 200;

/** What was said in a call, in OpenAI's JSON. */
export interface CallContent {
  /** The parameters; undefined: there were none, or they can't be written. */
  readonly params: string | undefined;
  /** Writes the answer; of a stream, what was sent of it until now. Unset while there is none. */
  completion?: () => string | undefined;
}

/**
 * Collects what is logged of one call. Made where the call arrives, told what happens by those who do it, and read once, when
 * the exchange is over.
 */
export class CallLog {
  readonly #fields: CallFields;
  /** When the call arrived, in Unix milliseconds. */
  readonly startedAtMs = Date.now();
  readonly #startedAt = performance.now();
  /** The tries to get an answer, in the order in which they began. Whoever makes them writes here. */
  readonly attempts: AttemptRecord[] = [];
  #error: GatewayError | undefined;
  #adjustments: readonly Adjustment[] = [];
  #usage: Usage | undefined;
  #finishReasons: readonly FinishReason[] = [];
  #askedModel: string | undefined;
  #content: CallContent | undefined;

  constructor(requestId: string, door: Door) {
    this.#fields = { requestId, door };
  }

  /** Id of the call, as in the header `x-request-id`. */
  get requestId(): string {
    return this.#fields.requestId;
  }

  /** The way the call came in. */
  get door(): Door {
    return this.#fields.door;
  }

  /** Id of who calls; undefined while it is not known. */
  get callerId(): string | undefined {
    return this.#fields.keyId;
  }

  /** Uid of the run that the call is made for. */
  get runUid(): string | undefined {
    return this.#fields.runUid;
  }

  /** Name of the rpc; undefined while it is not found. */
  get operation(): string | undefined {
    return this.#fields.operation;
  }

  /** Whether the answer is given piece by piece. */
  get isStreaming(): boolean {
    return STREAMS.has(this.operation ?? "");
  }

  /** The model that was asked for, once it is found. */
  get model(): string | undefined {
    return this.#fields.model;
  }

  /** The model that was asked for, whether there is one of that name or not; cut where long. */
  get askedModel(): string | undefined {
    return this.#askedModel ?? this.model;
  }

  /** What was said; undefined where the caller does not have it kept. */
  get content(): CallContent | undefined {
    return this.#content;
  }

  /** The "provider/model" that was called last. */
  get target(): string | undefined {
    return this.#fields.target;
  }

  /** The provider's own id of the answer, and the model that it says it answered with; cut where long. */
  get upstreamId(): string | undefined {
    return this.#fields.upstreamId;
  }
  get upstreamModel(): string | undefined {
    return this.#fields.upstreamModel;
  }

  /** What the call failed with; undefined while it did not. */
  get error(): GatewayError | undefined {
    return this.#error;
  }

  /** What was adjusted for the target that was called last. */
  get adjustments(): readonly Adjustment[] {
    return this.#adjustments;
  }

  /** What the call used; undefined while it is not known. */
  get usage(): Usage | undefined {
    return this.#usage;
  }

  /** What the call cost, in nano-dollars; undefined while it is not known. */
  get costNanoDollars(): number | undefined {
    return this.#fields.costNanoDollars;
  }

  /** From the call's arrival to the first output, in milliseconds. */
  get firstChunkMs(): number | undefined {
    return this.#fields.firstChunkMs;
  }

  /** Why each choice of the answer ended, in their order; empty while that is not known. */
  get finishReasons(): readonly FinishReason[] {
    return this.#finishReasons;
  }

  /** Milliseconds since the call arrived. */
  elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** The rpc was found. */
  named(operation: string): void {
    this.#fields.operation = operation;
  }

  /** It was found out who calls. */
  identified(callerId: string): void {
    this.#fields.keyId = callerId;
  }

  /** The call is made for a run. */
  madeFor(runUid: string): void {
    this.#fields.runUid = runUid;
  }

  /** A model was asked for, whether there is one of that name or not. */
  asked(model: string): void {
    this.#askedModel = model.slice(0, MAX_TEXT);
  }

  /** The caller has kept what is said. Whoever answers sets its completion. */
  kept(content: CallContent): void {
    this.#content = content;
  }

  /** The model was found, and the call was planned. */
  routed(model: string, target: string, adjustments: readonly Adjustment[]): void {
    this.#fields.model = model;
    this.#fields.target = target;
    this.#adjustments = adjustments;
  }

  /** The first output came, so many milliseconds after the call's arrival. Later calls change nothing. */
  answered(atMs: number): void {
    this.#fields.firstChunkMs ??= Math.round(atMs * 10) / 10;
  }

  /** The provider said what it calls its answer. The first texts that are not empty count; long ones are cut at 200 characters. */
  heardFrom({ id, model }: { readonly id: string; readonly model: string }): void {
    if (id !== "") this.#fields.upstreamId ??= id.slice(0, MAX_TEXT);
    if (model !== "") this.#fields.upstreamModel ??= model.slice(0, MAX_TEXT);
  }

  /** The answer ended, each of its choices for such a reason. */
  finished(reasons: readonly FinishReason[]): void {
    this.#finishReasons = reasons;
  }

  /** The usage is known, and perhaps what it cost, in nano-dollars. */
  used(usage: Usage, cost?: bigint): void {
    this.#usage = usage;
    this.#fields.promptTokens = usage.promptTokens;
    this.#fields.completionTokens = usage.completionTokens;
    if (cost !== undefined) this.#fields.costNanoDollars = Number(cost);
  }

  /** The call failed. The first error counts. */
  failed(error: GatewayError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#fields.reason = error.reasonName;
  }

  /** The call has a span, in the trace of this id. */
  traced(traceId: string): void {
    this.#fields.traceId = traceId;
  }

  /** The fields for the line in the log. What was adjusted and tried is written out here, so whoever wants one field has it otherwise. */
  fields(): Readonly<CallFields> {
    const attempts = formatAttempts(this.attempts);
    return {
      ...this.#fields,
      ...(this.#adjustments.length === 0 ? {} : { adjustments: formatAdjustments(this.#adjustments) }),
      ...(attempts === undefined ? {} : { attempts }),
    };
  }
}
