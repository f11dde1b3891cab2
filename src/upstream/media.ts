import type { Medium, MediumRef } from "../providers/provider.ts";

/** Fetches the media that a request gives by address and that its provider wants as bytes. */
export interface MediaFetcher {
  /** Whether media are fetched at all; if not, `fetch` refuses every address. */
  readonly enabled: boolean;
  /**
   * Fetches media; an address that is given twice is fetched once. The map's keys are the addresses as the request has them. Fails
   * with INVALID_VALUE (code `invalid_image_url`) for the first one that can't be had, and with the reason of the signal, which closes
   * the sockets at once.
   */
  fetch(refs: readonly MediumRef[], signal: AbortSignal): Promise<ReadonlyMap<string, Medium>>;
}
