import { equals } from "@bufbuild/protobuf";
import { deadlineExceeded } from "../errors/deadline-exceeded.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { type Model, ModelSchema } from "../gen/parley/models/v1/models_service_pb.ts";
import type { Provider } from "../providers/provider.ts";
import { isOfAccount } from "../providers/upstream-error.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { UpstreamClient } from "./client.ts";
import { readModels } from "./read-models.ts";

/** What a list of models is made of. */
export interface ModelListOptions {
  readonly provider: Provider;
  /** The same provider with its further keys: the list is asked for with the next one where one is refused. Unset: none. */
  readonly furtherKeys?: readonly Provider[];
  readonly client: UpstreamClient;
  /** How old the list may become before it is asked for again, in milliseconds. */
  readonly refreshMs: number;
  /** Adds what is known of the models besides; leaves those that it is given as they are. Unset: nothing. */
  readonly enrich?: (models: readonly Model[]) => Promise<readonly Model[]>;
  /** How long to wait after a first failure; doubled after each further one, up to `refreshMs`. Unset: 1000. */
  readonly firstRetryMs?: number;
  /** Longest time for reading the list, with all its pages, in milliseconds. Unset: 30000. */
  readonly timeoutMs?: number;
  /** Is told when the list can't be read, and when it can again. */
  readonly logger?: Logger;
}

/** The models that a provider lists, kept while the provider is not asked. */
export interface ModelList {
  /**
   * The list as it was last read, sorted by id; empty until then. Never waits and never throws. It is the same array as long as it
   * says the same. Reading one that is too old has it read again in the background: a list that nobody reads costs nothing.
   */
  models(): readonly Model[];
  /** Begins to read the list, where that has not begun. */
  start(): void;
  /** Resolves when the list has been read for the first time, or could not be. Nothing has to wait for it. */
  readonly settled: Promise<void>;
  /** Ends what is under way. From then on the list stays as it is. */
  close(): void;
}

const TIMEOUT_MS = 30_000;

const FIRST_RETRY_MS = 1_000;

/** Makes the list of a provider's models. Nothing is read before `start` or the first `models`. */
export function createModelList(options: ModelListOptions): ModelList {
  return new KeptModels(options);
}

class KeptModels implements ModelList {
  readonly #options: ModelListOptions;
  readonly #closing = new AbortController();
  readonly #settled = Promise.withResolvers<void>();
  #models: readonly Model[] = [];
  /** Whether it is being read, or waits for its next try. */
  #isBusy = false;
  /** When the list is too old, by the clock of `performance`. */
  #dueAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: ModelListOptions) {
    this.#options = options;
  }

  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  models(): readonly Model[] {
    if (!this.#isBusy && performance.now() >= this.#dueAt) void this.#load();
    return this.#models;
  }

  start(): void {
    this.models();
  }

  close(): void {
    this.#isBusy = true; // For ever: nothing is begun any more.
    clearTimeout(this.#retry);
    this.#closing.abort(new Error("the list of models is closed"));
    this.#settled.resolve();
  }

  async #load(): Promise<void> {
    this.#isBusy = true;
    try {
      this.#keep(await this.#read());
    } catch (thrown) {
      if (!this.#closing.signal.aborted) this.#failed(GatewayError.from(thrown));
    }
    this.#settled.resolve();
  }

  /** Reads the list within its time, and adds to it what is known besides. */
  async #read(): Promise<readonly Model[]> {
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(deadlineExceeded(timeoutMs)), timeoutMs);
    try {
      return await this.#enriched(await this.#ask(AbortSignal.any([this.#closing.signal, late.signal])));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks with one key after the other, as long as they are refused. */
  async #ask(signal: AbortSignal): Promise<readonly Model[]> {
    const { provider, furtherKeys = [], client } = this.#options;
    const refusals: unknown[] = [];
    for (const keyed of [provider, ...furtherKeys]) {
      try {
        return await readModels(keyed, client, signal);
      } catch (thrown) {
        if (!(thrown instanceof GatewayError) || !isOfAccount(thrown.reason)) throw thrown;
        refusals.push(thrown);
      }
    }
    throw refusals[0];
  }

  /** Where nothing can be added, the provider's own words are a list, too. */
  async #enriched(models: readonly Model[]): Promise<readonly Model[]> {
    const { provider, enrich, logger } = this.#options;
    try {
      return (await enrich?.(models)) ?? models;
    } catch (error) {
      logger?.error({ provider: provider.id, err: error }, "nothing can be added to the model list");
      return models;
    }
  }

  #keep(models: readonly Model[]): void {
    const { provider, refreshMs, logger } = this.#options;
    if (this.#closing.signal.aborted) return;
    if (!isSame(this.#models, models)) this.#models = models;
    if (this.#failures > 0) logger?.info({ provider: provider.id, models: models.length }, "model list is back");
    this.#failures = 0;
    this.#dueAt = performance.now() + refreshMs;
    this.#isBusy = false;
  }

  /** Keeps the list that there is, and tries again later. Only the first of several failures is worth a warning. */
  #failed(error: GatewayError): void {
    const { provider, refreshMs, firstRetryMs = FIRST_RETRY_MS, logger } = this.#options;
    const doubled = firstRetryMs * 2 ** Math.min(this.#failures, 30);
    const retryMs = Math.min(Math.max(doubled, error.details.retryAfterMs ?? 0), refreshMs);
    const fields = { provider: provider.id, reason: error.reasonName, retryMs };
    if (this.#failures === 0) logger?.warn(fields, "model list cannot be read");
    else logger?.debug(fields, "model list still cannot be read");
    this.#failures += 1;
    // A gateway that has nothing else to do may end.
    this.#retry = setTimeout(() => void this.#load(), retryMs).unref();
  }
}

function isSame(before: readonly Model[], after: readonly Model[]): boolean {
  return before.length === after.length && before.every((model, at) => equals(ModelSchema, model, after[at] as Model));
}
