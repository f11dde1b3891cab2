import { once } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { PREFACE } from "../../src/server/sniff.ts";
import {
  createInbox,
  encodeFrame,
  FRAME,
  GET_HEADERS,
  IDENTITY,
  type RawClient,
  sendRaw,
  sendRawTls,
  serve,
  WHOLE_REQUEST,
} from "./harness.ts";

/** END_HEADERS alone: a body is to come. */
const HALF_REQUEST = 0x04;

const requestOf = (flags: number): string =>
  Buffer.concat([
    PREFACE,
    encodeFrame(FRAME.settings, 0, 0),
    encodeFrame(FRAME.headers, flags, 1, GET_HEADERS),
  ]).toString("latin1");

const SENT = [
  ["a whole request on HTTP/1.1", "http/1.1", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"],
  ["half a request on HTTP/1.1", "http/1.1", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf"],
  ["a whole request on HTTP/2", "h2", requestOf(WHOLE_REQUEST)],
  ["half a request on HTTP/2", "h2", requestOf(HALF_REQUEST)],
] as const;

/** Ways to go without a word: a process that ends closes its sockets so, or the system breaks them. */
const WAYS = [
  ["closes its connection", undefined, ({ socket }: RawClient) => void socket.end()],
  ["resets its connection", undefined, ({ socket }: RawClient) => void socket.resetAndDestroy()],
  ["closes its connection with TLS", IDENTITY, ({ socket }: RawClient) => void socket.end()],
  ["breaks its connection with TLS", IDENTITY, ({ socket }: RawClient) => void socket.destroy()],
] as const;

describe.each(SENT)("a client that sent %s, and is not answered yet", (_what, protocol, text) => {
  it.each(WAYS)("is missed at once when it %s", async (_way, tls, leave) => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, tls === undefined ? {} : { tls });
    const client = await (tls === undefined ? sendRaw(server, text) : sendRawTls(server, protocol, text));
    const { request, response } = await inbox.next();
    request.resume().on("error", () => undefined);
    const closed = once(response, "close");
    leave(client);
    await closed;
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
  });
});
