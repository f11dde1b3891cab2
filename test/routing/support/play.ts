/** Plays many calls through the gateway, by a clock of its own. */
import { getEventListeners } from "node:events";
import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { vi } from "vitest";
import { OPEN_CALLER } from "../../../src/admission/caller.ts";
import type { ModelNameSettings, RoutingSettings } from "../../../src/config/settings.ts";
import { GatewayError } from "../../../src/errors/gateway-error.ts";
import { createGateway } from "../../../src/gateway/gateway.ts";
import type { GatewayOperations } from "../../../src/gateway/operation.ts";
import type { GatewayOptions } from "../../../src/gateway/options.ts";
import {
  CreateChatCompletionRequestSchema,
  StreamChatCompletionRequestSchema,
} from "../../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Role } from "../../../src/gen/parley/chat/v1/message_pb.ts";
import { Reason } from "../../../src/gen/parley/errors/v1/errors_pb.ts";
import type { BreakerState } from "../../../src/routing/breaker.ts";
import type { Target } from "../../../src/routing/target.ts";
import { CallLog } from "../../../src/telemetry/call-log.ts";
import { catalogueOf, NO_LIMITER } from "../../support/routing.ts";
import { createMoodyBackend, type MoodyBackend, type MoodyParts } from "./moody-backend.ts";

/** A call of a client. Times are milliseconds. */
export interface Caller {
  /** The name that it asks for. */
  readonly model: string;
  readonly streaming: boolean;
  readonly timeoutMs: number;
  /** After how long the client goes away; unset: it stays. */
  readonly cancelAfterMs?: number | undefined;
  /** Whether it reads no more of a stream than its beginning. */
  readonly leavesEarly?: boolean;
  readonly hedgeAfterMs?: number | undefined;
}

/** A call, and what became of it. Times are milliseconds since the start. */
export interface Played extends Caller {
  readonly id: string;
  readonly from: number;
  readonly log: CallLog;
  /** The breakers of all targets, by name, when it arrived. */
  readonly breakers: ReadonlyMap<string, BreakerState>;
  /** Unset: it was answered, or its client went away. */
  readonly error: GatewayError | undefined;
  readonly end: "answered" | "failed" | "gone";
  readonly to: number;
}

/** A breaker that came into another state. */
export interface Turn {
  readonly at: number;
  readonly state: BreakerState;
}

/** What is played. */
export interface Play {
  readonly targets: readonly MoodyParts[];
  readonly names: readonly Partial<ModelNameSettings>[];
  readonly options: GatewayOptions;
  readonly routing: RoutingSettings;
  /** From the first arrival to the last, in milliseconds. */
  readonly lastsMs: number;
  /** Calls in a second, on average; they come at random. */
  readonly rate: number;
  /** The next call. */
  caller(): Caller;
}

/** What came of it. */
export interface Outcome {
  readonly calls: readonly Played[];
  readonly targets: readonly MoodyBackend[];
  /** By the name of the target. */
  readonly turns: ReadonlyMap<string, readonly Turn[]>;
  /** What is left when the last call is over: nothing. */
  readonly left: {
    /** But for the one that serves all calls. */
    readonly timers: number;
    readonly listeners: number;
    readonly inFlight: number;
    readonly waiting: number;
    readonly visits: number;
    readonly calls: number;
  };
}

/** What is left where all is well. */
export const NOTHING = { timers: 0, listeners: 0, inFlight: 0, waiting: 0, visits: 0, calls: 0 };

// The real one: it lets everything happen that is ready to.
const { setImmediate: setRealImmediate } = globalThis;
const settle = (): Promise<void> => new Promise((resolve) => setRealImmediate(resolve));

/** Plays calls until all of them are over. The timers have to be fake, and all targets of names are `targets`. */
export async function play({ targets: parts, names, options, routing, lastsMs, rate, caller }: Play): Promise<Outcome> {
  const start = Date.now();
  const now = (): number => Date.now() - start;
  const targets = parts.map(createMoodyBackend);
  const every = targets.map(({ name }) => name);
  const catalogue = catalogueOf(
    targets.map(({ backend }) => backend),
    every,
    {
      routing,
      models: names.map((name, at) => ({
        id: `name-${at}`,
        targets: every,
        policy: "quality",
        weights: new Map(),
        ...name,
      })),
    },
  );
  const { operations, calls: live } = createGateway(catalogue, options, NO_LIMITER);
  const states = every.map((name) => (catalogue.resolve(name).candidates[0] as { readonly target: Target }).target);
  const turns = new Map(every.map((name) => [name, [] as Turn[]]));
  const watch = (): void => {
    for (const { name, state } of states) {
      const known = turns.get(name) as Turn[];
      if ((known.at(-1)?.state ?? "closed") !== state.breaker.state)
        known.push({ at: now(), state: state.breaker.state });
    }
  };
  const calls: Played[] = [];
  const clients: AbortSignal[] = [];
  let running = 0;
  const come = async (id: string): Promise<void> => {
    const call = caller();
    const client = new AbortController();
    clients.push(client.signal);
    const from = now();
    const log = new CallLog(id, "grpc");
    const breakers = new Map(states.map(({ name, state }) => [name, state.breaker.state]));
    const { cancelAfterMs } = call;
    const gone =
      cancelAfterMs === undefined
        ? undefined
        : setTimeout(() => client.abort(new GatewayError(Reason.CANCELLED, "the client went away")), cancelAfterMs);
    running += 1;
    const error = await ask(operations, id, call, {
      caller: OPEN_CALLER,
      log,
      signal: client.signal,
      timeoutMs: call.timeoutMs,
    });
    running -= 1;
    clearTimeout(gone);
    const isGone = client.signal.aborted || (call.leavesEarly === true && error === undefined);
    const end = error === undefined && !isGone ? "answered" : isGone ? "gone" : "failed";
    calls.push({ ...call, id, from, log, breakers, error, end, to: now() });
  };
  let isLast = false;
  const comeAgain = (id: number): void => {
    void come(String(id));
    const pauseMs = (-Math.log(1 - Math.random()) * 1_000) / rate;
    if (now() + pauseMs > lastsMs) isLast = true;
    else setTimeout(() => comeAgain(id + 1), pauseMs);
  };
  comeAgain(1);
  await settle();
  while (running > 0 || !isLast) {
    if (vi.getTimerCount() === 0) throw new Error(`${running} calls wait for nothing`);
    vi.advanceTimersToNextTimer();
    await settle();
    watch();
  }
  return {
    calls,
    targets,
    turns,
    left: {
      timers: Math.max(0, vi.getTimerCount() - 1),
      listeners: clients.reduce((sum, signal) => sum + getEventListeners(signal, "abort").length, 0),
      inFlight: states.reduce((sum, { state }) => sum + state.lane.inFlight, 0),
      waiting: states.reduce((sum, { state }) => sum + state.lane.waiting, 0),
      visits: targets.flatMap(({ visits }) => visits).filter(({ to }) => to === undefined).length,
      calls: live.size,
    },
  };
}

/** Makes a call, and returns what it failed with. */
async function ask(
  operations: GatewayOperations,
  id: string,
  { model, streaming, leavesEarly = false, hedgeAfterMs }: Caller,
  context: Parameters<GatewayOperations["createChatCompletion"]>[1],
): Promise<GatewayError | undefined> {
  const said = {
    params: { model, messages: [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: id } }] }] },
    options: hedgeAfterMs === undefined ? {} : { hedgeAfter: durationFromMs(hedgeAfterMs) },
  };
  try {
    if (!streaming) {
      await operations.createChatCompletion(create(CreateChatCompletionRequestSchema, said), context);
      return undefined;
    }
    const request = create(StreamChatCompletionRequestSchema, said);
    for await (const _ of operations.streamChatCompletion(request, context)) if (leavesEarly) break;
    return undefined;
  } catch (thrown) {
    return GatewayError.from(thrown);
  }
}
