import type { KeyLimits } from "../gen/parley/keys/v1/limits_pb.ts";
import type { Scope } from "../gen/parley/scopes/v1/scopes_pb.ts";
import type { Address } from "../lib/address.ts";
import type { LogLevel } from "../telemetry/log-level.ts";
import type { SignalSettings } from "../telemetry/signal-settings.ts";
import type { ProviderSettings } from "./provider-settings.ts";

/** All settings, with every default filled in; frozen. Times are whole milliseconds, sizes are bytes. */
export interface Settings {
  /** The file that they come from, absolute; undefined: there was none. */
  readonly file: string | undefined;
  /** Where to listen; port 0 means any free one. */
  readonly listen: Address;
  /** How many processes serve; at least 1. */
  readonly workers: number;
  /** Undefined: plain text. */
  readonly tls: TlsSettings | undefined;
  readonly limits: LimitSettings;
  readonly timeouts: TimeoutSettings;
  readonly cors: {
    /** Origins whose pages may call, as browsers send them; "*" for all; empty for none. */
    readonly allowedOrigins: readonly string[];
  };
  readonly logLevel: LogLevel;
  /** Names of our own for models. */
  readonly models: readonly ModelNameSettings[];
  readonly auto: AutoSettings;
  readonly routing: RoutingSettings;
  readonly sandbox: {
    /** Between two tokens of its answers, unless the call says otherwise. */
    readonly tokenDelayMs: number;
  };
  /** The providers with a network, each with another id. Their keys are in here: print by formatSettings only. */
  readonly providers: readonly ProviderSettings[];
  readonly mediaFetch: MediaFetchSettings;
  /** How old a provider's list of models may become before it is asked for again. */
  readonly modelListRefreshMs: number;
  readonly proxy: ProxySettings;
  /** What is sent to a collector of metrics and traces. */
  readonly telemetry: SignalSettings;
  readonly auth: AuthSettings;
  readonly store: StoreSettings;
  /** Address of the Redis server that limits are shared through; it may hold a password. Undefined: each process has its own. */
  readonly redisUrl: string | undefined;
  readonly runs: RunSettings;
  readonly requestLog: RequestLogSettings;
}

/** Who may call. */
export interface AuthSettings {
  /** The keys of the file; others may be in the store. */
  readonly keys: readonly ConfigKeySettings[];
  /** Undefined: no tokens are taken. */
  readonly jwt: JwtSettings | undefined;
  /** For whom has no limits of its own; undefined: without limits. */
  readonly defaultLimits: KeyLimits | undefined;
}

/** A key of the file. */
export interface ConfigKeySettings {
  readonly id: string;
  /** SHA-256 of its secret, 64 hexadecimal digits in lower case. */
  readonly sha256: string;
  /** At least one. */
  readonly scopes: readonly Scope[];
  /** Patterns; empty: all models. */
  readonly models: readonly string[];
  /** Undefined: the default ones. */
  readonly limits: KeyLimits | undefined;
  readonly logContent: boolean;
}

/** Tokens of an issuer. */
export interface JwtSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  /** At least one; asymmetric ones only. */
  readonly algorithms: readonly string[];
  readonly scopesClaim: string;
  /** What stands before a scope; empty: nothing. */
  readonly scopePrefix: string;
  readonly modelsClaim: string;
  readonly limitsClaim: string;
  readonly clockToleranceMs: number;
}

/** Where durable state is kept. */
export interface StoreSettings {
  /** Folder of the built-in database, absolute. */
  readonly dataDir: string;
  /** Address of a PostgreSQL database, which takes its place; it may hold a password. */
  readonly databaseUrl: string | undefined;
}

/** Runs. */
export interface RunSettings {
  /** How many this process works on at once. */
  readonly workers: number;
  /** For one that does not say. */
  readonly timeoutMs: number;
  /** How long one is kept after it has ended. */
  readonly retentionMs: number;
  /** How often workers may be lost with one before it fails. */
  readonly maxAttempts: number;
  readonly leaseMs: number;
  /** Of one key, that wait. */
  readonly maxQueued: number;
  readonly webhook: {
    /** "whsec_…"; undefined: there are none. */
    readonly secret: string | undefined;
    readonly maxAttempts: number;
    readonly timeoutMs: number;
  };
}

/** The log of requests. */
export interface RequestLogSettings {
  readonly enabled: boolean;
  readonly retentionMs: number;
}

/** In which order targets are asked. */
export type PolicyName = "quality" | "cost" | "latency";

/** A name for models. */
export interface ModelNameSettings {
  readonly id: string;
  /** Each "provider/model"; never empty. */
  readonly targets: readonly string[];
  readonly policy: PolicyName;
  /** Share of the calls that begin with a target, by its name; empty: the policy alone decides. */
  readonly weights: ReadonlyMap<string, number>;
}

/** The models behind "auto". */
export interface AutoSettings {
  readonly policy: PolicyName;
  /**
   * Each "provider/model", or the id of one of the names for models. Empty: the default, which is made of the providers; `autoOf` of
   * the providers gives what is in force.
   */
  readonly models: readonly string[];
}

/** How calls find a target that answers. */
export interface RoutingSettings {
  /** How often one call asks the same target again. */
  readonly maxRetries: number;
  /** How long a call waits, all in all, for targets to take it again. */
  readonly maxWaitMs: number;
  /** How many retries each target gets. */
  readonly retryBudget: {
    /** That are there at the beginning, and at most. */
    readonly burst: number;
    /** That each call's first try adds. */
    readonly ratio: number;
  };
  readonly breaker: BreakerSettings;
}

/** When calls are kept from a target that fails. */
export interface BreakerSettings {
  /** More than this share of the last calls failed. */
  readonly failureRatio: number;
  /** How many calls the last calls are. */
  readonly window: number;
  /** Least calls that have to be known. */
  readonly minCalls: number;
  /** How long the first time; doubled each further time, up to `maxOpenMs`. */
  readonly openMs: number;
  readonly maxOpenMs: number;
}

/** Fetching of media that a request gives by address. */
export interface MediaFetchSettings {
  readonly enabled: boolean;
  /** Of one medium. */
  readonly maxBytes: number;
  /** For one medium, redirects included. */
  readonly timeoutMs: number;
}

/** The proxies on the way to providers. Their addresses may hold a password. */
export interface ProxySettings {
  /** For what is at http addresses; undefined: none. */
  readonly http: string | undefined;
  /** For what is at https addresses; undefined: the one for http. */
  readonly https: string | undefined;
  /** Hosts that are reached without, as NO_PROXY lists them. */
  readonly none: string | undefined;
}

/** A certificate, as PEM texts, and the absolute paths that they come from. */
export interface TlsSettings {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** Bounds of what the server takes. */
export interface LimitSettings {
  /** Of one request. */
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
  /** Of one HTTP/2 connection. */
  readonly maxConcurrentStreams: number;
}

/** How long things may take. */
export interface TimeoutSettings {
  /** A call whose client gives no deadline. */
  readonly totalMs: number;
  /** Until a model's first output; undefined: the deadline alone. */
  readonly firstChunkMs: number | undefined;
  /** Between two outputs of a model. */
  readonly idleMs: number;
  /** For one target's answer in one piece, while there is another target to ask; undefined: a fair share of the time that is left. */
  readonly attemptMs: number | undefined;
  /** For the headers of a request to arrive. */
  readonly headersMs: number;
  /** For a whole request to arrive. */
  readonly requestMs: number;
  /** Silence of a REST stream after which a comment is sent. */
  readonly keepAliveMs: number;
  /** For open calls to finish when the server is told to stop. */
  readonly drainMs: number;
}
