/** The composition root: the only file that knows every part. It joins them to a gateway that runs. */
import { checkScopes } from "./admission/authorize.ts";
import { type Generation, makeGeneration, type Shared } from "./compose-generation.ts";
import { openState, type State } from "./compose-state.ts";
import type { ProviderSet, Reach, Upstream, UpstreamParts } from "./compose-upstream.ts";
import { checkChange } from "./config/compare-settings.ts";
import type { Settings } from "./config/settings.ts";
import { GatewayError } from "./errors/gateway-error.ts";
import { rowOf } from "./gateway/request-log/row-of.ts";
import { Reason } from "./gen/parley/errors/v1/errors_pb.ts";
import type { Target } from "./routing/target.ts";
import { createTargetStates } from "./routing/target-states.ts";
import { SERVICES } from "./rpc/handler.ts";
import { createHealthStatus } from "./rpc/health.ts";
import type { EndedExecution } from "./runs/options.ts";
import { createRuns, type Runs } from "./runs/runs.ts";
import type { ConnectionSource } from "./server/options.ts";
import { type RunningServer, startServer } from "./server/server.ts";
import { createSuccession, type Succession } from "./server/succession.ts";
import { logAccess } from "./telemetry/access-line.ts";
import type { CallLog } from "./telemetry/call-log.ts";
import { createLogger, flushLogger, type Logger } from "./telemetry/logger.ts";
import { createSignals, type Signals } from "./telemetry/signals.ts";
import type { TargetGauge } from "./telemetry/target-gauge.ts";
import type { Backend } from "./upstream/backend.ts";
import type { Crew } from "./workers/crew.ts";

/** A gateway that runs. */
export interface RunningGateway {
  /** Where it can be called, such as "http://127.0.0.1:8080". */
  readonly url: string;
  readonly address: { readonly host: string; readonly port: number };
  /** Whether everybody on this machine may call, because there are no keys and no tokens. */
  readonly isOpen: boolean;
  /** How many calls are running. */
  readonly openCalls: number;
  /** How many connections are open. */
  readonly openConnections: number;
  /**
   * Puts other settings in the place of the ones in force, all at once: requests that come from then on are served by the new ones,
   * and those that came before by the old ones, to their end. Before that it waits for the lists of models of providers that are new,
   * for five seconds at most. Rejects with a ConfigError for settings that contradict themselves or need a restart, and with
   * SHUTTING_DOWN after `stop`; then nothing has changed. A second call waits for the first. `agreed` is called when all is made that
   * can be refused: the change waits for it, and does not come where it rejects.
   */
  reload(settings: Settings, agreed?: () => Promise<void>): Promise<void>;
  /** Counts that settings were read again, and taken (also where they are as before) or refused, wherever they were found wanting. */
  recordReload: Signals["recordReload"];
  /**
   * Drains and ends: not ready at once; no new calls; open ones finish within the grace period and then end with
   * SHUTTING_DOWN; then every socket closes. A second call waits for the same end.
   */
  stop(): Promise<void>;
}

/** Time for the errors of aborted calls to reach their clients, before sockets are destroyed. */
const LAST_WORDS_MS = 1_000;

/** Opens the way to providers, where the settings have any. */
export async function composeUpstream(
  { providers, proxy }: Settings,
  parts?: UpstreamParts,
): Promise<Upstream | undefined> {
  if (providers.length === 0) return undefined;
  // What it takes to reach providers is half of the program.
  const { openUpstream } = await import("./compose-upstream.ts");
  return openUpstream(proxy, parts);
}

/**
 * Starts a gateway. Rejects when it cannot listen, and with a ConfigError for settings that contradict themselves. `reach` is for
 * tests; `crew` for a worker, which serves with others as one.
 */
export async function startGateway(
  settings: Settings,
  logger: Logger = createLogger({ level: settings.logLevel }),
  reach?: Reach,
  crew?: Crew,
): Promise<RunningGateway> {
  const upstream = createLateUpstream({ logger, reach, sharing: crew?.sharing });
  try {
    return await start({ settings, logger, upstream, reach, crew });
  } catch (error) {
    await upstream.close();
    throw error;
  }
}

/** The way to providers, which is opened by the first settings that have any. */
type LateUpstream = Pick<Upstream, "close"> & { prepare(settings: Settings): Promise<ProviderSet | undefined> };

function createLateUpstream(parts: UpstreamParts): LateUpstream {
  let upstream: Upstream | undefined;
  return {
    async prepare(settings) {
      upstream ??= await composeUpstream(settings, parts);
      return upstream?.prepare(settings);
    },
    close: async () => upstream?.close(),
  };
}

/** The parts of a gateway that runs. */
interface Running extends Shared {
  readonly signals: Signals;
  readonly upstream: LateUpstream;
  readonly generations: Succession<Generation>;
  readonly server: RunningServer;
  /** Is aborted when the end begins. */
  readonly ending: AbortController;
}

/** What a gateway is started with. */
interface StartParts {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly upstream: LateUpstream;
  readonly reach: Reach | undefined;
  readonly crew: Crew | undefined;
}

async function start(parts: StartParts): Promise<RunningGateway> {
  const { settings, logger, upstream, crew } = parts;
  const providers = await upstream.prepare(settings);
  const state = await openState(settings, logger, crew);
  try {
    return await startWith(parts, providers, state);
  } catch (error) {
    await state.close();
    throw error;
  }
}

async function startWith(
  { settings, logger, upstream, reach, crew }: StartParts,
  providers: ProviderSet | undefined,
  state: State,
): Promise<RunningGateway> {
  const signals = await createSignals({
    settings: settings.telemetry,
    logger,
    activeCalls: () => countCalls(generations, runs),
    targets: () => [...generations.current.catalogue.targets()].map(gaugeOf),
    isKnownModel: (name) =>
      generations.current.catalogue.isKnown(name) || generations.alive.some(({ catalogue }) => catalogue.isKnown(name)),
    originOf: (provider) => findBackend(generations, provider),
    state: state.gauge,
    membership: crew,
  });
  const health = createHealthStatus(SERVICES.map(({ typeName }) => typeName));
  const runs = createRuns({
    store: state.store,
    settings: settings.runs,
    logger,
    // A run is served by the settings that hold when it begins.
    operations: {
      streamChatCompletion: (request, call) =>
        generations.current.gateway.operations.streamChatCompletion(request, call),
    },
    recall: (before) => generations.current.identity.recall(before),
    check: (request, call) => generations.current.gateway.check(request, call.caller),
    finished: (log, execution) => recordExecution(log, execution, { signals, state, logger }),
    allowAddresses: reach?.allowAddresses ?? [],
  });
  checkScopes(SERVICES);
  const shared = { states: createTargetStates(), state, runs, signals, health, logger };
  const generations = createSuccession(makeGeneration(settings, providers, shared));
  crew?.join({ readMetrics: signals.read, flushRequestLog: () => state.requestLog.flush() });
  const server = await listen(settings, generations, logger, crew?.connections);
  providers?.adopt();
  providers?.start();
  runs.start();

  const running: Running = { ...shared, upstream, generations, server, ending: new AbortController() };
  let swapped: Promise<void> = Promise.resolve();
  let stopped: Promise<void> | undefined;
  const { url, ...address } = server.address;
  return {
    url,
    address,
    get isOpen() {
      return generations.current.identity.isOpen;
    },
    get openCalls() {
      return countCalls(generations, runs);
    },
    get openConnections() {
      return server.openConnections;
    },
    reload(next, agreed) {
      const swapping = swapped.then(() => swap(running, next, agreed));
      swapped = swapping.catch(() => undefined);
      return swapping;
    },
    recordReload: signals.recordReload,
    stop() {
      stopped ??= drain(running, swapped);
      return stopped;
    },
  };
}

/** Tells signals, log and the log of requests of what a worker did. */
function recordExecution(
  log: CallLog,
  { runUid, durationMs, caller }: EndedExecution,
  { signals, state, logger }: { readonly signals: Signals; readonly state: State; readonly logger: Logger },
): void {
  log.madeFor(runUid);
  log.identified(caller.id);
  const status = log.error?.row.httpStatus ?? 200;
  const exchange = { method: "", path: runUid, status, durationMs, userAgent: undefined };
  signals.recordCall(log, { headers: {}, status, durationMs });
  logAccess(logger, log, exchange);
  state.requestLog.record(rowOf(log, exchange));
}

async function listen(
  settings: Settings,
  { handler, streamHandler }: Succession<Generation>,
  logger: Logger,
  source: ConnectionSource | undefined,
): Promise<RunningServer> {
  const { tls, limits, timeouts } = settings;
  const server = await startServer({
    ...settings.listen,
    source,
    ...(tls === undefined ? {} : { tls }),
    headersTimeoutMs: timeouts.headersMs,
    requestTimeoutMs: timeouts.requestMs,
    maxConnections: limits.maxConnections,
    maxConcurrentStreams: limits.maxConcurrentStreams,
    onRefusal: (requestId, { status, message }) => logger.info({ requestId, status, message }, "refused"),
    handler,
    streamHandler,
  });
  logger.info({ url: server.address.url }, source === undefined ? "listening" : "ready");
  return server;
}

/** Makes the next generation completely, and then the current one. */
async function swap(running: Running, next: Settings, agreed?: () => Promise<void>): Promise<void> {
  const { upstream, generations, server, logger, ending } = running;
  ending.signal.throwIfAborted();
  const { settings: before } = generations.current;
  checkChange(before, next);
  const providers = await upstream.prepare(next);
  try {
    const generation = makeGeneration(next, providers, running);
    ending.signal.throwIfAborted();
    providers?.start();
    await providers?.settled(ending.signal);
    await agreed?.();
    ending.signal.throwIfAborted();
    const { tls, limits, timeouts } = next;
    server.change({ tls, maxConnections: limits.maxConnections, requestTimeoutMs: timeouts.requestMs });
    generations.replace(generation);
  } catch (thrown) {
    providers?.discard();
    throw thrown;
  }
  providers?.adopt();
  if (next.logLevel !== before.logLevel) logger.level = next.logLevel;
  running.state.requestLog.change(next.requestLog);
}

/** `swapped`: the last reload that was asked for. */
async function drain(running: Running, swapped: Promise<void>): Promise<void> {
  const { upstream, generations, server, state, runs, signals, health, logger, ending } = running;
  const { drainMs } = generations.current.settings.timeouts;
  logger.info({ openCalls: countCalls(generations, runs) }, "draining");
  ending.abort(shuttingDown("the server is going down"));
  health.shutDown();
  // From here on there is no further generation.
  const calls = generations.alive.flatMap((generation) => generation.calls);
  const late = new AbortController();
  const ended = runs.drain(late.signal);
  for (const each of calls) each.refuse();
  void Promise.all(calls.map((each) => each.idle())).then(() => health.endWatches());
  const closed = server.close(drainMs + LAST_WORDS_MS);
  const cut = setTimeout(() => {
    late.abort(shuttingDown("the server went down before the run ended"));
    for (const each of calls) each.abort(shuttingDown("the server went down before the call ended"));
  }, drainMs);
  await Promise.all([closed, ended]);
  clearTimeout(cut);
  await swapped;
  await upstream.close();
  await state.close();
  await signals.close();
  logger.info("stopped");
  await flushLogger(logger);
}

const countCalls = ({ alive }: Succession<Generation>, runs: Runs): number =>
  [...alive.flatMap(({ calls }) => calls), runs.calls].reduce((sum, { size }) => sum + size, 0);

/** The backend of that id: of the current generation, or else of the last one before it that has it and still has requests. */
const findBackend = (generations: Succession<Generation>, id: string): Backend | undefined =>
  backendOf(generations.current, id) ??
  generations.alive.map((generation) => backendOf(generation, id)).findLast((backend) => backend !== undefined);

const backendOf = ({ providers }: Generation, id: string): Backend | undefined =>
  providers?.backends.find((backend) => backend.id === id);

/** How it stands with a target, for metrics. */
const gaugeOf = ({ backend, model, state: { breaker, lane } }: Target): TargetGauge => ({
  provider: backend.id,
  model,
  breaker: breaker.state,
  inFlight: lane.inFlight,
  waiting: lane.waiting,
});

const shuttingDown = (message: string): GatewayError =>
  new GatewayError(Reason.SHUTTING_DOWN, message, { retryAfterMs: 1000 });
