import type { IncomingMessage } from "node:http";
import { type Agent, request } from "node:https";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Medium, MediumRef } from "../providers/provider.ts";
import { sniffMime } from "../providers/sniff.ts";
import { mediaRefusal, NOT_FETCHED } from "./media-refusal.ts";

/** How one medium is fetched. */
export interface MediumLimits {
  /** Most bytes of it. */
  readonly maxBytes: number;
  /** Time for all of it, redirects included, in milliseconds. */
  readonly timeoutMs: number;
  /** Takes bytes off what all media of the request may have together; false: there is not so much left. */
  readonly take: (bytes: number) => boolean;
}

const MAX_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number | undefined> = new Set([301, 302, 303, 307, 308]);

/** All that a server hears of the gateway: no cookies, no credentials, no name of the caller. */
const HEADERS = { accept: "*/*", "accept-encoding": "identity", "user-agent": "parley" };

const MEDIA = /^(?:(?:image|audio|video)\/[\w.+-]+|application\/pdf)$/;

/**
 * Fetches one medium by https. Fails with INVALID_VALUE, or with the reason of the signal, which closes the socket at once.
 * `agent` decides which addresses may be connected to.
 */
export async function fetchMedium(
  ref: MediumRef,
  agent: Agent,
  limits: MediumLimits,
  signal: AbortSignal,
): Promise<Medium> {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(), limits.timeoutMs);
  try {
    const response = await followRedirects(ref, agent, AbortSignal.any([signal, clock.signal]));
    const bytes = await readBytes(response, ref.path, limits);
    return { mimeType: mimeTypeOf(bytes, response.headers["content-type"], ref.path), data: bytes.toString("base64") };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof GatewayError) throw error;
    throw mediaRefusal(ref.path, NOT_FETCHED, error);
  } finally {
    clearTimeout(timer);
  }
}

/** The answer with the medium; each hop is held to the same rules as the first. */
async function followRedirects({ url, path }: MediumRef, agent: Agent, signal: AbortSignal): Promise<IncomingMessage> {
  let address = parseHttps(url, path);
  for (let redirects = 0; ; redirects++) {
    const response = await get(address, agent, signal);
    const { statusCode, headers } = response;
    if (statusCode === 200) return response;
    response.destroy();
    if (!REDIRECTS.has(statusCode) || headers.location === undefined) throw new Error(`the answer was ${statusCode}`);
    if (redirects === MAX_REDIRECTS)
      throw mediaRefusal(path, `this address redirects more than ${MAX_REDIRECTS} times`);
    address = parseHttps(headers.location, path, address);
  }
}

/** Reads an address as browsers do: hosts in octal, hexadecimal or as one number come out as the addresses that they are. */
function parseHttps(text: string, path: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) throw mediaRefusal(path, "this is no address");
  if (url.protocol !== "https:") {
    throw mediaRefusal(
      path,
      base === undefined ? "only https addresses are fetched" : "this address redirects to one that is not https",
    );
  }
  if (url.username !== "" || url.password !== "")
    throw mediaRefusal(path, "an address with credentials is not fetched");
  return url;
}

function get(url: URL, agent: Agent, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { agent, signal, headers: HEADERS }).on("response", resolve).on("error", reject).end();
  });
}

/** Leaving the iteration early closes the socket. */
async function readBytes(response: IncomingMessage, path: string, { maxBytes, take }: MediumLimits): Promise<Buffer> {
  const tooLarge = (): GatewayError => mediaRefusal(path, `what is at this address is larger than ${maxBytes} bytes`);
  const { "content-length": length = "0", "content-encoding": encoding = "identity" } = response.headers;
  if (Number(length) > maxBytes || encoding !== "identity") {
    response.destroy();
    throw encoding === "identity" ? tooLarge() : new Error("the answer is encoded, which was not asked for");
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    if (!take(chunk.length))
      throw mediaRefusal(path, "with this address, the media of the request are too large together");
    chunks.push(chunk);
  }
  if (size === 0) throw new Error("the answer is empty");
  return Buffer.concat(chunks, size);
}

/** The bytes know better than the server; what neither takes for a medium is refused. */
function mimeTypeOf(bytes: Buffer, contentType: string | undefined, path: string): string {
  const type = sniffMime(bytes) ?? contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (!MEDIA.test(type)) throw mediaRefusal(path, "what is at this address is no image, audio, video or PDF");
  return type;
}
