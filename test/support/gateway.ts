/** Support of the tests: gateways that really listen, and clients that really call. */
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { type RunningGateway, startGateway } from "../../src/compose.ts";
import type { Settings } from "../../src/config/settings.ts";
import { randomText } from "../../src/lib/ids.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { loadSettings } from "./load-settings.ts";

/** A gateway under test. */
export interface TestGateway extends RunningGateway {
  /** The lines that it has logged. */
  readonly lines: readonly Record<string, unknown>[];
}

/** Changes to the settings that a test wants, part by part. */
export interface SettingsChange {
  readonly limits?: Partial<Settings["limits"]>;
  readonly timeouts?: Partial<Settings["timeouts"]>;
  readonly cors?: Partial<Settings["cors"]>;
  readonly sandbox?: Partial<Settings["sandbox"]>;
  readonly tls?: Settings["tls"];
  /** Names for models, as the file has them; none by default. */
  readonly models?: readonly object[];
  readonly auto?: Partial<Settings["auto"]>;
  readonly routing?: Partial<Settings["routing"]>;
  /** Providers with a network, as the file has them; none by default. */
  readonly providers?: readonly object[];
  readonly mediaFetch?: Partial<Settings["mediaFetch"]>;
  /** Who may call, as the file has it; nobody has to say who they are by default. */
  readonly auth?: object;
  readonly runs?: Partial<Settings["runs"]>;
  /** Unset: nothing is written down. */
  readonly requestLog?: Partial<Settings["requestLog"]>;
  /** Where durable state is kept; by default in a folder that is removed when the gateway has stopped. */
  readonly store?: Partial<Settings["store"]>;
  readonly redisUrl?: string;
  /** Addresses that media are fetched from, and webhooks reach, though they are not public: no setting, because nobody else may have them. */
  readonly mediaAddresses?: readonly string[];
}

/** Routing that lets the caller see each failure of one upstream: nothing is asked again or waited for, and no breaker opens. */
export const everyFailure = (routing: Settings["routing"]): Settings["routing"] => ({
  ...routing,
  maxRetries: 0,
  maxWaitMs: 0,
  breaker: { ...routing.breaker, failureRatio: 0.999, window: 1_000, minCalls: 1_000 },
});

/**
 * Starts a gateway on a free port of the loopback interface, with the default settings but for the change. There is no delay between
 * tokens. Of one upstream that fails, the caller sees each failure.
 */
export async function startTestGateway(change: SettingsChange = {}): Promise<TestGateway> {
  const dataDir = join(tmpdir(), `parley-state-${randomText(12)}`);
  const defaults = await loadSettings(
    { providers: change.providers ?? [], models: change.models ?? [], auth: change.auth ?? {} },
    { PARLEY_LOG_LEVEL: "debug", PARLEY_DATA_DIR: dataDir },
  );
  const settings: Settings = {
    ...defaults,
    tls: change.tls,
    auto: { ...defaults.auto, ...change.auto },
    routing: { ...everyFailure(defaults.routing), ...change.routing },
    limits: { ...defaults.limits, ...change.limits },
    timeouts: { ...defaults.timeouts, drainMs: 2_000, ...change.timeouts },
    cors: { ...defaults.cors, ...change.cors },
    sandbox: { tokenDelayMs: 0, ...change.sandbox },
    mediaFetch: { ...defaults.mediaFetch, ...change.mediaFetch },
    runs: { ...defaults.runs, ...change.runs },
    requestLog: { ...defaults.requestLog, enabled: false, ...change.requestLog },
    store: { ...defaults.store, ...change.store },
    redisUrl: change.redisUrl,
  };
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString("utf8").split("\n")) if (line !== "") lines.push(JSON.parse(line));
      done();
    },
  });
  const gateway = await startGateway(settings, createLogger({ level: "debug", destination }), {
    allowAddresses: change.mediaAddresses ?? [],
  });
  const stop = async (): Promise<void> => {
    await gateway.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return Object.create(gateway, { lines: { value: lines }, stop: { value: stop } }) as TestGateway;
}
