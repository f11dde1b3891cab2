/** Servers that get webhooks. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { until } from "../support/collect.ts";

/** A message that came. */
export interface ReceivedWebhook {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WebhookReceiver {
  readonly url: string;
  readonly received: readonly ReceivedWebhook[];
  /** Waits for that many messages. */
  receive(count: number): Promise<readonly ReceivedWebhook[]>;
  close(): Promise<void>;
}

/** Answers the first messages with these statuses, and all after them with the last one. 0: not at all. */
export async function startReceiver(...statuses: readonly number[]): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const status = statuses[Math.min(received.length, statuses.length - 1)] ?? 200;
      received.push({ headers: request.headers, body: Buffer.concat(pieces).toString("utf8") });
      if (status === 0) return;
      response.writeHead(status, { location: "http://127.0.0.1:1/" }).end("whatever".repeat(100));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook?a=b`,
    received,
    async receive(count) {
      await until(() => received.length >= count, `${count} webhooks`);
      return received;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Reads a message as a receiver does, by the package of Standard Webhooks. Fails where the signature is wrong. */
export const readWebhook = (secret: string, { headers, body }: ReceivedWebhook): unknown =>
  new Webhook(secret).verify(body, headers as Record<string, string>);
