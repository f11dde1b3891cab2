/** The composition root: the only file that knows every part. It joins them to a gateway that runs. */
import type { ProviderSet, Reach, Upstream } from "./compose-upstream.ts";
import { checkChange } from "./config/compare-settings.ts";
import { ConfigError } from "./config/config-error.ts";
import type { Settings } from "./config/settings.ts";
import { GatewayError } from "./errors/gateway-error.ts";
import type { LiveCalls } from "./gateway/call-scope.ts";
import { createGateway } from "./gateway/gateway.ts";
import { Reason } from "./gen/parley/errors/v1/errors_pb.ts";
import { createSandbox } from "./providers/sandbox/provider.ts";
import { createRestHandler } from "./rest/rest-handler.ts";
import { type Catalogue, createCatalogue } from "./routing/catalogue.ts";
import { createRpcHandler, SERVICES } from "./rpc/handler.ts";
import { createHealthStatus, type HealthStatus } from "./rpc/health.ts";
import { createCors } from "./server/cors.ts";
import { createDispatch } from "./server/dispatch.ts";
import { startServer } from "./server/server.ts";
import { createSuccession, type Successor } from "./server/succession.ts";
import { createLogger, flushLogger, type Logger } from "./telemetry/logger.ts";
import { createScriptedBackend } from "./upstream/scripted-backend.ts";

/** A gateway that runs. */
export interface RunningGateway {
  /** Where it can be called, such as "http://127.0.0.1:8080". */
  readonly url: string;
  readonly address: { readonly host: string; readonly port: number };
  /** How many calls are running. */
  readonly openCalls: number;
  /** How many connections are open. */
  readonly openConnections: number;
  /**
   * Puts other settings in the place of the ones in force, all at once: requests that come from then on are served by the new ones,
   * and those that came before by the old ones, to their end. Before that it waits for the lists of models of providers that are new,
   * for five seconds at most. Rejects with a ConfigError for settings that contradict themselves or need a restart, and with
   * SHUTTING_DOWN after `stop`; then nothing has changed. A second call waits for the first.
   */
  reload(settings: Settings): Promise<void>;
  /**
   * Drains and ends: not ready at once; no new calls; open ones finish within the grace period and then end with
   * SHUTTING_DOWN; then every socket closes. A second call waits for the same end.
   */
  stop(): Promise<void>;
}

/** All that settings decide about a call, made once of each settings. */
interface Generation extends Successor {
  readonly settings: Settings;
  readonly calls: LiveCalls;
}

/** What all generations share. */
interface Shared {
  readonly health: HealthStatus;
  readonly logger: Logger;
}

/** Longest deadline that a client may give. */
const MAX_TIMEOUT_MS = 86_400_000;

/** Time for the errors of aborted calls to reach their clients, before sockets are destroyed. */
const LAST_WORDS_MS = 1_000;

/**
 * Makes the catalogue of the models that the settings give: the sandbox's, and those of the providers. Throws a ConfigError for an
 * `auto_model` that does not exist.
 */
export function composeCatalogue({ file, sandbox }: Settings, providers: ProviderSet | undefined): Catalogue {
  const backends = [createScriptedBackend(createSandbox(sandbox)), ...(providers?.backends ?? [])];
  try {
    return createCatalogue(backends, "sandbox/eliza");
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    throw new ConfigError([{ file, path: "auto_model", message: thrown.message }], file);
  }
}

/** Opens the way to providers, where the settings have any. */
export async function composeUpstream(
  { providers, proxy }: Settings,
  logger?: Logger,
  reach?: Reach,
): Promise<Upstream | undefined> {
  if (providers.length === 0) return undefined;
  // What it takes to reach providers is half of the program.
  const { openUpstream } = await import("./compose-upstream.ts");
  return openUpstream(proxy, logger, reach);
}

/**
 * Starts a gateway. Rejects when it cannot listen, and with a ConfigError for settings that contradict themselves. `reach` is for
 * tests.
 */
export async function startGateway(
  settings: Settings,
  logger: Logger = createLogger({ level: settings.logLevel }),
  reach?: Reach,
): Promise<RunningGateway> {
  const upstream = createLateUpstream(logger, reach);
  try {
    return await start(settings, logger, upstream);
  } catch (error) {
    await upstream.close();
    throw error;
  }
}

/** The way to providers, which is opened by the first settings that have any. */
type LateUpstream = Pick<Upstream, "close"> & { prepare(settings: Settings): Promise<ProviderSet | undefined> };

function createLateUpstream(logger: Logger, reach: Reach | undefined): LateUpstream {
  let upstream: Upstream | undefined;
  return {
    async prepare(settings) {
      upstream ??= await composeUpstream(settings, logger, reach);
      return upstream?.prepare(settings);
    },
    close: async () => upstream?.close(),
  };
}

/** Makes a generation: nothing of it reaches beyond itself before it is the current one. Throws a ConfigError. */
function makeGeneration(
  settings: Settings,
  providers: ProviderSet | undefined,
  { health, logger }: Shared,
): Generation {
  const { limits, timeouts, cors } = settings;
  const { operations, calls } = createGateway(composeCatalogue(settings, providers), timeouts);
  return {
    settings,
    calls,
    idle: () => calls.idle(),
    handler: createDispatch({
      rpc: createRpcHandler({ operations, health, maxMessageBytes: limits.maxBodyBytes, maxTimeoutMs: MAX_TIMEOUT_MS }),
      rest: createRestHandler({
        services: SERVICES,
        operations,
        maxBodyBytes: limits.maxBodyBytes,
        keepAliveMs: timeouts.keepAliveMs,
        maxTimeoutMs: MAX_TIMEOUT_MS,
      }),
      cors: createCors(cors.allowedOrigins),
      logger,
      isReady: () => health.ready,
    }),
  };
}

async function start(settings: Settings, logger: Logger, upstream: LateUpstream): Promise<RunningGateway> {
  const shared: Shared = { logger, health: createHealthStatus(SERVICES.map(({ typeName }) => typeName)) };
  const firstProviders = await upstream.prepare(settings);
  const generations = createSuccession(makeGeneration(settings, firstProviders, shared));
  const server = await startServer({
    ...settings.listen,
    ...(settings.tls === undefined ? {} : { tls: settings.tls }),
    headersTimeoutMs: settings.timeouts.headersMs,
    requestTimeoutMs: settings.timeouts.requestMs,
    maxConnections: settings.limits.maxConnections,
    maxConcurrentStreams: settings.limits.maxConcurrentStreams,
    onRefusal: (requestId, { status, message }) => logger.info({ requestId, status, message }, "refused"),
    handler: generations.handler,
  });
  const { url, ...address } = server.address;
  logger.info({ url }, "listening");
  firstProviders?.adopt();
  firstProviders?.start();

  const ending = new AbortController();
  const countCalls = (): number => generations.alive.reduce((sum, { calls }) => sum + calls.size, 0);

  const swap = async (next: Settings): Promise<void> => {
    ending.signal.throwIfAborted();
    const { settings: before } = generations.current;
    checkChange(before, next);
    const providers = await upstream.prepare(next);
    try {
      const generation = makeGeneration(next, providers, shared);
      ending.signal.throwIfAborted();
      providers?.start();
      await providers?.settled(ending.signal);
      ending.signal.throwIfAborted();
      server.change({
        tls: next.tls,
        maxConnections: next.limits.maxConnections,
        requestTimeoutMs: next.timeouts.requestMs,
      });
      generations.replace(generation);
    } catch (thrown) {
      providers?.discard();
      throw thrown;
    }
    providers?.adopt();
    if (next.logLevel !== before.logLevel) logger.level = next.logLevel;
  };
  let swapped: Promise<void> = Promise.resolve();

  const drain = async (): Promise<void> => {
    const { drainMs } = generations.current.settings.timeouts;
    logger.info({ openCalls: countCalls() }, "draining");
    ending.abort(new GatewayError(Reason.SHUTTING_DOWN, "the server is going down", { retryAfterMs: 1000 }));
    shared.health.shutDown();
    // From here on there is no further generation.
    const { alive } = generations;
    for (const { calls } of alive) calls.refuse();
    void Promise.all(alive.map(({ calls }) => calls.idle())).then(() => shared.health.endWatches());
    const closed = server.close(drainMs + LAST_WORDS_MS);
    const cut = setTimeout(() => {
      const error = new GatewayError(Reason.SHUTTING_DOWN, "the server went down before the call ended", {
        retryAfterMs: 1000,
      });
      for (const { calls } of alive) calls.abort(error);
    }, drainMs);
    await closed;
    clearTimeout(cut);
    await swapped;
    await upstream.close();
    logger.info("stopped");
    await flushLogger(logger);
  };
  let stopped: Promise<void> | undefined;
  return {
    url,
    address,
    get openCalls() {
      return countCalls();
    },
    get openConnections() {
      return server.openConnections;
    },
    reload: (next) => {
      const swapping = swapped.then(() => swap(next));
      swapped = swapping.catch(() => undefined);
      return swapping;
    },
    stop: () => {
      stopped ??= drain();
      return stopped;
    },
  };
}
