/**
 * Telemetry: what is known of each call, and the lines that are logged of it. No prompt, answer, key or upstream body gets here, but for
 * what a caller has kept in the log of requests, which is in no line, metric or span.
 */
import type { GatewayError } from "../errors/gateway-error.ts";
import type { FinishReason, Usage } from "../gen/parley/chat/v1/completion_pb.ts";
import type { Adjustment } from "../gen/parley/chat/v1/report_pb.ts";
import type { AttemptRecord } from "./attempt-record.ts";

/** The way a call came in; "run": a worker makes it for a run. */
export type Door = "rest" | "connect" | "grpc" | "grpc-web" | "run";

/** Longest text of a provider's, and longest name of a model that nobody may have, that is kept whole. */
const MAX_TEXT = 200;

/** What was said in a call, in OpenAI's JSON. */
export interface CallContent {
  /** The parameters; undefined: there were none, or they can't be written. */
  readonly params: string | undefined;
  /** Writes the answer; of a stream, what was sent of it until now. Unset while there is none. */
  completion?: () => string | undefined;
}

const NONE: readonly never[] = [];

/**
 * Collects what is logged of one call. Made where the call arrives, told what happens by those who do it, and read when the exchange is
 * over. What is not known, or not yet, is undefined. Its fields are plain: a call reads them forty times.
 */
export class CallLog {
  /** Id of the call, as in the header `x-request-id`. */
  readonly requestId: string;
  /** The way the call came in. */
  readonly door: Door;
  /** When the call arrived, in Unix milliseconds. */
  readonly startedAtMs = Date.now();
  readonly #startedAt = performance.now();
  /** The tries to get an answer, in the order in which they began. Whoever makes them writes here. */
  readonly attempts: AttemptRecord[] = [];
  /** Id of who calls: of the key, "jwt:" and the token's subject, or "open" where nobody has to say who they are. */
  readonly callerId: string | undefined = undefined;
  /** Uid of the run that the call is made for. */
  readonly runUid: string | undefined = undefined;
  /** Name of the rpc: "CreateChatCompletion". */
  readonly operation: string | undefined = undefined;
  /** The model that was asked for, once it is found. */
  readonly model: string | undefined = undefined;
  /** The model that was asked for, whether there is one of that name or not; cut where long. */
  readonly askedModel: string | undefined = undefined;
  /** The "provider/model" that was called last. */
  readonly target: string | undefined = undefined;
  /** What was adjusted for the target that was called last. */
  readonly adjustments: readonly Adjustment[] = NONE;
  /** The provider's own id of the answer, and the model that it says it answered with; cut where long. */
  readonly upstreamId: string | undefined = undefined;
  readonly upstreamModel: string | undefined = undefined;
  /** From the call's arrival to the first output, in milliseconds, to a tenth. */
  readonly firstChunkMs: number | undefined = undefined;
  /** Why each choice of the answer ended, in their order; empty while that is not known. */
  readonly finishReasons: readonly FinishReason[] = NONE;
  /** What the call used. */
  readonly usage: Usage | undefined = undefined;
  /** What the call cost, in nano-dollars. */
  readonly costNanoDollars: number | undefined = undefined;
  /** What was said; undefined where the caller does not have it kept. */
  readonly content: CallContent | undefined = undefined;
  /** What the call failed with. */
  readonly error: GatewayError | undefined = undefined;
  /** Id of the trace that has the call's span: 32 hexadecimal digits. */
  readonly traceId: string | undefined = undefined;

  constructor(requestId: string, door: Door) {
    this.requestId = requestId;
    this.door = door;
  }

  /** Whether the answer is given piece by piece. */
  get isStreaming(): boolean {
    return this.operation === "StreamChatCompletion" || this.operation === "WatchRun";
  }

  /** Milliseconds since the call arrived. */
  elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** The rpc was found. */
  named(operation: string): void {
    writable(this).operation = operation;
  }

  /** It was found out who calls. */
  identified(callerId: string): void {
    writable(this).callerId = callerId;
  }

  /** The call is made for a run. */
  madeFor(runUid: string): void {
    writable(this).runUid = runUid;
  }

  /** A model was asked for, whether there is one of that name or not. */
  asked(model: string): void {
    writable(this).askedModel = cut(model);
  }

  /** The caller has kept what is said. Whoever answers sets its completion. */
  kept(content: CallContent): void {
    writable(this).content = content;
  }

  /** The model was found, and the call was planned. */
  routed(model: string, target: string, adjustments: readonly Adjustment[]): void {
    const own = writable(this);
    own.model = model;
    own.askedModel ??= model;
    own.target = target;
    own.adjustments = adjustments;
  }

  /** The first output came, so many milliseconds after the call's arrival. Later calls change nothing. */
  answered(atMs: number): void {
    writable(this).firstChunkMs ??= Math.round(atMs * 10) / 10;
  }

  /** The provider said what it calls its answer. The first texts that are not empty count; long ones are cut at 200 characters. */
  heardFrom({ id, model }: { readonly id: string; readonly model: string }): void {
    const own = writable(this);
    if (id !== "") own.upstreamId ??= cut(id);
    if (model !== "") own.upstreamModel ??= cut(model);
  }

  /** The answer ended, each of its choices for such a reason. */
  finished(reasons: readonly FinishReason[]): void {
    writable(this).finishReasons = reasons;
  }

  /** The usage is known, and perhaps what it cost, in nano-dollars. */
  used(usage: Usage, cost?: bigint): void {
    const own = writable(this);
    own.usage = usage;
    if (cost !== undefined) own.costNanoDollars = Number(cost);
  }

  /** The call failed. The first error counts. */
  failed(error: GatewayError): void {
    writable(this).error ??= error;
  }

  /** The call has a span, in the trace of this id. */
  traced(traceId: string): void {
    writable(this).traceId = traceId;
  }
}

/** The log, for its own methods: others only read it. */
const writable = (log: CallLog): { -readonly [Name in keyof CallLog]: CallLog[Name] } => log;

const cut = (text: string): string => (text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text);
