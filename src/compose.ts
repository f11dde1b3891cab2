/** The composition root: the only file that knows every part. It joins them to a gateway that runs. */
import type { Reach, Upstream } from "./compose-upstream.ts";
import { ConfigError } from "./config/config-error.ts";
import type { Settings } from "./config/settings.ts";
import { GatewayError } from "./errors/gateway-error.ts";
import { createGateway } from "./gateway/gateway.ts";
import { Reason } from "./gen/parley/errors/v1/errors_pb.ts";
import { autoModelsOf } from "./providers/default-model.ts";
import { createSandbox } from "./providers/sandbox/provider.ts";
import { createRestHandler } from "./rest/rest-handler.ts";
import { type Catalogue, createCatalogue } from "./routing/catalogue.ts";
import type { Target } from "./routing/target.ts";
import { createTargetStates, type TargetStates } from "./routing/target-states.ts";
import { createRpcHandler, SERVICES } from "./rpc/handler.ts";
import { createHealthStatus } from "./rpc/health.ts";
import { createCors } from "./server/cors.ts";
import { createDispatch } from "./server/dispatch.ts";
import { startServer } from "./server/server.ts";
import { createLogger, flushLogger, type Logger } from "./telemetry/logger.ts";
import { createSignals } from "./telemetry/signals.ts";
import type { TargetGauge } from "./telemetry/target-gauge.ts";
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
   * Drains and ends: not ready at once; no new calls; open ones finish within the grace period and then end with
   * SHUTTING_DOWN; then every socket closes. A second call waits for the same end.
   */
  stop(): Promise<void>;
}

/** Longest deadline that a client may give. */
const MAX_TIMEOUT_MS = 86_400_000;

/** Time for the errors of aborted calls to reach their clients, before sockets are destroyed. */
const LAST_WORDS_MS = 1_000;

/**
 * Makes the catalogue of the models that the settings give: the sandbox's, and those of the providers behind `upstream`. Throws a
 * ConfigError for a target that does not exist. `states`: what is known of targets already.
 */
export function composeCatalogue(
  settings: Settings,
  upstream: Upstream | undefined,
  states: TargetStates = createTargetStates(),
): Catalogue {
  const { file, sandbox, models, auto, routing } = settings;
  const backends = [createScriptedBackend(createSandbox(sandbox)), ...(upstream?.backends ?? [])];
  try {
    return createCatalogue({ backends, models, auto: { ...auto, models: autoModelsOf(settings) }, routing, states });
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    throw new ConfigError([{ file, path: thrown.details.param ?? "", message: thrown.message }], file);
  }
}

/** How it stands with a target, for metrics. */
const gaugeOf = ({ backend, model, state: { breaker, lane } }: Target): TargetGauge => ({
  provider: backend.id,
  model,
  breaker: breaker.state,
  inFlight: lane.inFlight,
  waiting: lane.waiting,
});

/** Opens the way to the providers of the settings, where there are any. Throws a ConfigError for one that can't be made. */
export async function composeUpstream(
  settings: Settings,
  logger?: Logger,
  reach?: Reach,
): Promise<Upstream | undefined> {
  if (settings.providers.length === 0) return undefined;
  // What it takes to reach providers is half of the program.
  const { openUpstream } = await import("./compose-upstream.ts");
  return openUpstream(settings, logger, reach);
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
  const upstream = await composeUpstream(settings, logger, reach);
  try {
    return await start(settings, logger, upstream);
  } catch (error) {
    await upstream?.close();
    throw error;
  }
}

async function start(settings: Settings, logger: Logger, upstream: Upstream | undefined): Promise<RunningGateway> {
  const { limits, timeouts } = settings;
  const catalogue = composeCatalogue(settings, upstream);
  const gateway = createGateway(catalogue, { ...timeouts, ...settings.routing });
  const health = createHealthStatus(SERVICES.map(({ typeName }) => typeName));
  const { operations, calls } = gateway;
  const signals = await createSignals({
    settings: settings.telemetry,
    logger,
    activeCalls: () => calls.size,
    targets: () => [...catalogue.targets()].map(gaugeOf),
    isKnownModel: (name) => catalogue.isKnown(name),
    originOf: (provider) => upstream?.backends.find(({ id }) => id === provider),
  });
  const server = await startServer({
    ...settings.listen,
    ...(settings.tls === undefined ? {} : { tls: settings.tls }),
    headersTimeoutMs: timeouts.headersMs,
    requestTimeoutMs: timeouts.requestMs,
    maxConnections: limits.maxConnections,
    maxConcurrentStreams: limits.maxConcurrentStreams,
    onRefusal: (requestId, { status, message }) => logger.info({ requestId, status, message }, "refused"),
    handler: createDispatch({
      rpc: createRpcHandler({ operations, health, maxMessageBytes: limits.maxBodyBytes, maxTimeoutMs: MAX_TIMEOUT_MS }),
      rest: createRestHandler({
        services: SERVICES,
        operations,
        maxBodyBytes: limits.maxBodyBytes,
        keepAliveMs: timeouts.keepAliveMs,
        maxTimeoutMs: MAX_TIMEOUT_MS,
      }),
      cors: createCors(settings.cors.allowedOrigins),
      logger,
      signals,
      isReady: () => health.ready,
    }),
  });
  const { url, ...address } = server.address;
  logger.info({ url }, "listening");
  upstream?.start();

  const drain = async (): Promise<void> => {
    logger.info({ openCalls: calls.size }, "draining");
    health.shutDown();
    calls.refuse();
    void calls.idle().then(() => health.endWatches());
    const closed = server.close(timeouts.drainMs + LAST_WORDS_MS);
    const cut = setTimeout(() => {
      calls.abort(
        new GatewayError(Reason.SHUTTING_DOWN, "the server went down before the call ended", { retryAfterMs: 1000 }),
      );
    }, timeouts.drainMs);
    await closed;
    clearTimeout(cut);
    await upstream?.close();
    await signals.close();
    logger.info("stopped");
    await flushLogger(logger);
  };
  let stopped: Promise<void> | undefined;
  return {
    url,
    address,
    get openCalls() {
      return calls.size;
    },
    get openConnections() {
      return server.openConnections;
    },
    stop: () => {
      stopped ??= drain();
      return stopped;
    },
  };
}
