import { lookup as systemLookup } from "node:dns";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { Webhook } from "standardwebhooks";
import { createPublicAgent, createPublicHttpAgent } from "../upstream/public-agent.ts";
import type { RunsOptions } from "./options.ts";

/** A message about a run. */
export interface WebhookMessage {
  readonly url: string;
  /** The same for all tries, so that whoever gets it twice can tell. */
  readonly id: string;
  /** JSON. */
  readonly payload: string;
}

/** How a try went; `error`: in words, without anything that the other side said. */
export type Sent = { readonly kind: "delivered" } | { readonly kind: "gone" | "failed"; readonly error: string };

/** Sends messages as Standard Webhooks has it. */
export interface WebhookSender {
  /** Tries once. Rejects with the signal's reason only. */
  send(message: WebhookMessage, signal: AbortSignal): Promise<Sent>;
}

/** The status by which a receiver says that it wants no more. */
const GONE = 410;

/** Makes a sender, which connects to public addresses only and follows no redirects. */
export function createWebhookSender(
  { secret, timeoutMs }: { readonly secret: string; readonly timeoutMs: number },
  { allowAddresses = [], lookup = systemLookup }: Pick<RunsOptions, "allowAddresses" | "lookup">,
): WebhookSender {
  const signer = new Webhook(secret);
  const agents = {
    "https:": createPublicAgent({ allowAddresses, lookup }),
    "http:": createPublicHttpAgent({ allowAddresses, lookup }),
  };

  const post = (url: URL, headers: Readonly<Record<string, string>>, payload: string, signal: AbortSignal) =>
    new Promise<number>((resolve, reject) => {
      const isPlain = url.protocol === "http:";
      const send = isPlain ? requestHttp : requestHttps;
      send(url, { method: "POST", agent: agents[isPlain ? "http:" : "https:"], headers, signal })
        .on("response", (response) => {
          // What it says besides is of no interest.
          response.destroy();
          resolve(response.statusCode ?? 0);
        })
        .on("error", reject)
        .end(payload);
    });

  return {
    async send({ url, id, payload }, signal) {
      const at = new Date();
      const headers = {
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(payload)),
        "user-agent": "parley",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
        "webhook-signature": signer.sign(id, at, payload),
      };
      const clock = new AbortController();
      const timer = setTimeout(() => clock.abort(), timeoutMs);
      try {
        const status = await post(new URL(url), headers, payload, AbortSignal.any([signal, clock.signal]));
        if (status >= 200 && status < 300) return { kind: "delivered" };
        return { kind: status === GONE ? "gone" : "failed", error: `the answer was ${status}` };
      } catch (thrown) {
        signal.throwIfAborted();
        const error = clock.signal.aborted ? `there was no answer within ${timeoutMs} ms` : wordsOf(thrown);
        return { kind: "failed", error };
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** What the system calls it, or that the address was refused: what else is said may tell of the network inside. */
function wordsOf(thrown: unknown): string {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  return code === "" ? "its address is not public, or it can't be reached" : `it can't be reached: ${code}`;
}
