import type { Model } from "../gen/parley/models/v1/models_service_pb.ts";
import type { Provider, WireRequest } from "../providers/provider.ts";
import type { UpstreamClient } from "./client.ts";
import { readFailure } from "./read-failure.ts";

/** Most pages of a list; what would follow is left out. A provider whose pages never end costs no more than that. */
export const MAX_PAGES = 20;

/** Most bytes of a list, over all its pages. The longest of those that are known has about one MiB. */
export const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Reads a provider's list of models, page by page: each model once, sorted by id, so that a list that says the same looks the same.
 * Fails with a GatewayError, and with the reason of the signal.
 */
export async function readModels(provider: Provider, client: UpstreamClient, signal: AbortSignal): Promise<Model[]> {
  const byId = new Map<string, Model>();
  let request: WireRequest | undefined = provider.modelsRequest;
  let bytesLeft = MAX_BYTES;
  for (let page = 0; page < MAX_PAGES && request !== undefined; page++) {
    const body = await readPage(provider, client, request, bytesLeft, signal);
    bytesLeft -= Buffer.byteLength(body);
    const { models, next } = provider.decodeModels(body);
    for (const model of models) if (model.id !== "" && !byId.has(model.id)) byId.set(model.id, model);
    request = next;
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function readPage(
  provider: Provider,
  client: UpstreamClient,
  request: WireRequest,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const answer = await client.request(provider, request, signal);
  if (!answer.ok) throw await readFailure(provider, answer, signal);
  return await answer.text(maxBytes);
}
