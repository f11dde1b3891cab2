/** The part of the composition root that is made anew of each settings. */
import { authorize } from "./admission/authorize.ts";
import { guardFromPages } from "./admission/browser-guard.ts";
import { createDoorkeeper } from "./admission/doorkeeper.ts";
import { createIdentity, type Identity } from "./admission/identity.ts";
import type { State } from "./compose-state.ts";
import type { ProviderSet } from "./compose-upstream.ts";
import { openListenFault } from "./config/choose-listen.ts";
import { ConfigError } from "./config/config-error.ts";
import type { Settings } from "./config/settings.ts";
import { GatewayError } from "./errors/gateway-error.ts";
import { createLiveCalls, type LiveCalls } from "./gateway/call-scope.ts";
import { createGateway, type Gateway } from "./gateway/gateway.ts";
import { createKeyOperations } from "./gateway/key-operations.ts";
import type { CallContext, Operations } from "./gateway/operation.ts";
import { rowOf } from "./gateway/request-log/row-of.ts";
import { createRequestOperations } from "./gateway/request-operations.ts";
import { tellingStanding } from "./gateway/telling-standing.ts";
import { isLoopback } from "./lib/address.ts";
import { autoOf } from "./providers/default-model.ts";
import { createSandbox } from "./providers/sandbox/provider.ts";
import { createRestHandler } from "./rest/rest-handler.ts";
import { type Catalogue, createCatalogue } from "./routing/catalogue.ts";
import { createTargetStates, type TargetStates } from "./routing/target-states.ts";
import { createRpcHandler, SERVICES } from "./rpc/handler.ts";
import type { HealthStatus } from "./rpc/health.ts";
import type { Runs } from "./runs/runs.ts";
import { createCors } from "./server/cors.ts";
import { createDispatch, type DispatchOptions } from "./server/dispatch.ts";
import { createStreamDispatch } from "./server/dispatch-stream.ts";
import type { Successor } from "./server/succession.ts";
import type { Exchange as AccessExchange } from "./telemetry/access-line.ts";
import type { CallLog } from "./telemetry/call-log.ts";
import type { Logger } from "./telemetry/logger.ts";
import type { Signals } from "./telemetry/signals.ts";
import { createScriptedBackend } from "./upstream/scripted-backend.ts";

/** All that settings decide about a call, made once of each settings. */
export interface Generation extends Successor {
  readonly settings: Settings;
  readonly providers: ProviderSet | undefined;
  readonly catalogue: Catalogue;
  readonly gateway: Gateway;
  readonly identity: Identity;
  /** The calls that are running, but for those of runs. */
  readonly calls: readonly LiveCalls[];
}

/** What all generations share. */
export interface Shared {
  readonly states: TargetStates;
  readonly state: State;
  readonly runs: Runs;
  readonly signals: Pick<Signals, "recordCall" | "scrape">;
  readonly health: HealthStatus;
  readonly logger: Logger;
}

/** Longest deadline that a client may give. */
const MAX_TIMEOUT_MS = 86_400_000;

/**
 * Makes the catalogue of the models that the settings give: the sandbox's, and those of the providers. Throws a ConfigError for a
 * target that does not exist. `states`: what is known of targets already.
 */
export function composeCatalogue(
  settings: Settings,
  providers: ProviderSet | undefined,
  states: TargetStates = createTargetStates(),
): Catalogue {
  const { file, sandbox, models, routing } = settings;
  const backends = [createScriptedBackend(createSandbox(sandbox)), ...(providers?.backends ?? [])];
  try {
    return createCatalogue({ backends, models, auto: autoOf(settings), routing, states });
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    throw new ConfigError([{ file, path: thrown.details.param ?? "", message: thrown.message }], file);
  }
}

/** Makes a generation: nothing of it reaches beyond itself before it is the current one. Throws a ConfigError. */
export function makeGeneration(settings: Settings, providers: ProviderSet | undefined, shared: Shared): Generation {
  const { states, state, runs, signals, health, logger } = shared;
  const { auth, limits, timeouts, cors, routing, tls } = settings;
  const catalogue = composeCatalogue(settings, providers, states);
  const gateway = createGateway(catalogue, { ...timeouts, ...routing }, state.limiter);
  checkOpen(settings, state);
  const identity = createIdentity({ auth, stored: state.keys, mayBeOpen: isLoopback(settings.listen.host), logger });
  const own = createLiveCalls();
  const open = (call: CallContext) => own.open(call, timeouts.totalMs);
  const { createChatCompletion, streamChatCompletion, ...others } = gateway.operations;
  const free = {
    ...others,
    ...runs.operations,
    ...createKeyOperations({ store: state.store, auth, changed: state.keys.refresh, open }),
    ...createRequestOperations({ store: state.store, log: { flush: state.flushRequestLogs }, open }),
  };
  const operations: Operations = {
    createChatCompletion,
    streamChatCompletion,
    ...tellingStanding(free, state.limiter),
  };
  const scheme = tls === undefined ? "http" : "https";
  const doorkeeper = createDoorkeeper({
    identity,
    authorize,
    guard: (headers, method) => guardFromPages({ method, scheme, headers }, cors.allowedOrigins),
  });
  const calls = [gateway.calls, own];
  const dispatch: DispatchOptions = {
    rpc: createRpcHandler({
      operations,
      doorkeeper,
      health,
      maxMessageBytes: limits.maxBodyBytes,
      maxTimeoutMs: MAX_TIMEOUT_MS,
    }),
    rest: createRestHandler({
      services: SERVICES,
      operations,
      doorkeeper,
      maxBodyBytes: limits.maxBodyBytes,
      keepAliveMs: timeouts.keepAliveMs,
      maxTimeoutMs: MAX_TIMEOUT_MS,
    }),
    cors: createCors(cors.allowedOrigins),
    logger,
    signals,
    doorkeeper,
    recordRequest(log, exchange) {
      if (isOfApi(log, exchange)) state.requestLog.record(rowOf(log, exchange));
    },
    readiness: () => ({ ready: health.ready, degraded: state.degraded() }),
  };
  return {
    settings,
    providers,
    catalogue,
    gateway,
    identity,
    calls,
    idle: async () => void (await Promise.all(calls.map((it) => it.idle()))),
    handler: createDispatch(dispatch),
    streamHandler: createStreamDispatch(dispatch),
  };
}

/** Whether a call is one of the API's own: health and reflection leave no row, nor does a path that there is not. */
const isOfApi = ({ operation }: CallLog, { path }: AccessExchange): boolean =>
  operation !== undefined && !path.startsWith("/grpc.");

/** A gateway that would be open to everybody listens on loopback only. Throws a ConfigError. */
function checkOpen({ file, listen, auth }: Settings, { keys }: State): void {
  const isClosed = auth.keys.length > 0 || auth.jwt !== undefined || keys.any !== false;
  if (isClosed || isLoopback(listen.host)) return;
  throw new ConfigError([{ file, path: "listen", message: openListenFault(listen.host) }], file);
}
