import type { ChatCompletion, ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import type { Model } from "../gen/parley/models/v1/models_service_pb.ts";
import type { Medium, MediumRef, Provider } from "../providers/provider.ts";
import type { UpstreamClient } from "./client.ts";

/** Fetches the media that a provider wants as bytes. */
export interface MediaFetcher {
  /** Whether it may fetch at all. */
  readonly enabled: boolean;
  /** Fetches all of them, and returns them by their address. Fails with a GatewayError that names the path, and with the signal's reason. */
  fetch(refs: readonly MediumRef[], signal: AbortSignal): Promise<ReadonlyMap<string, Medium>>;
}

/** What is kept of answers for the calls after them, where a client does not send all of it back. */
export interface Recollection {
  /** The parameters with what the client left out. Returns the same object where there is nothing to add; it is never changed. */
  restore(provider: string, params: ChatCompletionParams): ChatCompletionParams;
  /** Keeps what is needed of a whole answer. */
  remember(provider: string, completion: ChatCompletion): void;
  /** Keeps what is needed of an answer that comes in chunks; nothing before `finish`. */
  listen(provider: string): { push(chunk: ChatCompletionChunk): void; finish(): void };
}

/** The models that a provider is known to have. */
export interface ModelList {
  /** The same list as long as it says the same. */
  models(): readonly Model[];
}

/** What a backend with a network is made of. */
export interface HttpBackendOptions {
  readonly provider: Provider;
  readonly client: UpstreamClient;
  readonly media: MediaFetcher;
  readonly recollection: Recollection;
  readonly models: ModelList;
  /** What its requests say of their sender, for descriptions of them; the client's own. */
  readonly userAgent: string;
}
