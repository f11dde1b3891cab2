import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { Refusal, RefusalListener } from "../../src/server/refuse.ts";
import { identify } from "../../src/server/request-id.ts";
import { call, createInbox, echo, errorBody, openSession, openStream, receive, sendRaw, serve } from "./harness.ts";

/** Splits what a raw client received into its answers' status lines and the last body. */
function readAnswers(received: string): { statuses: string[]; headers: string; body: string } {
  const at = received.lastIndexOf("\r\n\r\n");
  return {
    statuses: [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status ?? ""),
    headers: received.slice(0, at).toLowerCase(),
    body: received.slice(at + 4),
  };
}

const TIMES = { headersTimeoutMs: 100, requestTimeoutMs: 150 };
const LATE = "the request did not arrive in time: headers within 100 ms, the whole of it within 150 ms";

describe("a refusal", () => {
  it.each([
    [
      "no HTTP at all",
      "\x16\x03\x01\x02\r\n\r\n",
      "400",
      "the request is not valid HTTP/1.1: Invalid method encountered",
    ],
    [
      "a preface that goes wrong",
      "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
      "400",
      "the request is not valid HTTP/1.1: Expected HTTP/2 Connection Preface",
    ],
    [
      "a header without a name",
      "GET / HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n",
      "400",
      "the request is not valid HTTP/1.1: Invalid header token",
    ],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
      "400",
      "the request is not valid HTTP/1.1: Transfer-Encoding can't be present with Content-Length",
    ],
    ["no host", "GET / HTTP/1.1\r\n\r\n", "400", "an HTTP/1.1 request must have one Host header"],
    [
      "two hosts",
      "GET / HTTP/1.1\r\nhost: a\r\nHost: b\r\n\r\n",
      "400",
      "an HTTP/1.1 request must have one Host header",
    ],
    [
      "a tunnel",
      "CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n",
      "501",
      "the method CONNECT is not supported: this is not a proxy",
    ],
    [
      "an unknown expectation",
      "GET / HTTP/1.1\r\nhost: a\r\nexpect: tea\r\n\r\n",
      "417",
      "the only expectation that can be met is 100-continue",
    ],
    [
      "large headers",
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${"x".repeat(1_100)}\r\n\r\n`,
      "431",
      "the request's headers must be <= 1024 bytes",
    ],
    ["headers that stop", "GET / HTTP/1.1\r\nhost: a\r\n", "408", LATE],
    ["a first line that stops", "P", "408", "the request's headers did not arrive within 100 ms"],
    ["a preface that stops", "PRI * HTTP/2.0\r\n", "408", "the request's headers did not arrive within 100 ms"],
  ])("answers %s and closes the connection", async (_name, sent, status, message) => {
    const refused: [string, Refusal][] = [];
    const onRefusal: RefusalListener = (...heard) => refused.push(heard);
    const server = await serve(echo, { ...TIMES, maxHeaderBytes: 1_024, onRefusal });
    const client = await sendRaw(server, sent);
    const { statuses, headers, body } = readAnswers(await client.closed);
    expect(statuses).toEqual([status]);
    expect(headers).toContain("connection: close");
    expect(headers).toContain("content-type: application/json");
    expect(headers).toContain(`content-length: ${Buffer.byteLength(body)}`);
    expect(JSON.parse(body)).toEqual(errorBody(status, message));
    const [, id] = /^x-request-id: (req_\w{28})\r$/m.exec(await client.closed) ?? [];
    expect(refused).toEqual([[id, { status: Number(status), message }]]);
  });

  it.each([
    ["no host", "GET / HTTP/1.1\r\nx-request-id: mine\r\n\r\n"],
    ["an unknown expectation", "GET / HTTP/1.1\r\nhost: a\r\nexpect: tea\r\nx-request-id: mine\r\n\r\n"],
    ["a tunnel", "CONNECT a:1 HTTP/1.1\r\nhost: a\r\nx-request-id: mine\r\n\r\n"],
  ])("of %s has the id of the client's", async (_name, sent) => {
    const server = await serve(echo);
    const client = await sendRaw(server, sent);
    expect(await client.closed).toMatch(/^x-request-id: mine\r$/m);
  });

  it("of a request that a handler has seen has the id that the handler gave to it", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, TIMES);
    const half = await sendRaw(server, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf");
    identify((await inbox.next()).response, "given-1");
    const { stream, answer } = openStream(await openSession(server), "/");
    stream.write("half");
    identify((await inbox.next()).response, "given-2");
    expect(await half.closed).toMatch(/^x-request-id: given-1\r$/m);
    expect(await answer).toMatchObject({ status: 408, headers: { "x-request-id": "given-2" } });
  });

  it("reaches a client that has more to say", async () => {
    const server = await serve(echo);
    const client = await sendRaw(server, `nonsense\r\n${"x".repeat(2_000_000)}`);
    const { statuses } = readAnswers(await client.closed);
    expect(statuses).toEqual(["400"]);
  });

  it("is not given to a connection that says nothing", async () => {
    const server = await serve(echo, TIMES);
    const client = await sendRaw(server, "");
    expect(await client.closed).toBe("");
  });

  it("answers a body that stops, and tells the handler", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, TIMES);
    const client = await sendRaw(server, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf");
    const { response } = await inbox.next();
    await once(response, "close");
    const { statuses, body } = readAnswers(await client.closed);
    expect(statuses).toEqual(["408"]);
    expect(JSON.parse(body)).toEqual(errorBody("408", LATE));
  });

  it("answers a body that is broken, and tells the handler", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler);
    const client = await sendRaw(server, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n");
    const { response } = await inbox.next();
    await once(response, "close");
    const { statuses, body } = readAnswers(await client.closed);
    expect(statuses).toEqual(["400"]);
    expect(JSON.parse(body)).toEqual(
      errorBody("400", "the request is not valid HTTP/1.1: Invalid character in chunk size"),
    );
  });

  it("is not mixed into an answer that has begun", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, TIMES);
    const client = await sendRaw(server, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf");
    const { response } = await inbox.next();
    response.write("begun");
    const { statuses } = readAnswers(await client.closed);
    expect(statuses).toEqual(["200"]);
  });

  it("does not follow an answer that was given before the body's end", async () => {
    const server = await serve((_request, response) => response.end("early"), TIMES);
    const client = await sendRaw(server, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf");
    const { statuses, body } = readAnswers(await client.closed);
    expect(statuses).toEqual(["200"]);
    expect(body).toBe("early");
  });

  it.each([
    ["nonsense", "nonsense\r\n\r\n"],
    ["a broken body", "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"],
    ["a tunnel", "CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n"],
  ])("of %s is not taken for the answer to the request before", async (_name, second) => {
    const inbox = createInbox();
    const server = await serve(inbox.handler);
    const client = await sendRaw(server, `GET / HTTP/1.1\r\nhost: a\r\n\r\n${second}`);
    await inbox.next();
    expect(await client.closed).toBe("");
  });

  it("comes after an answer that was finished", async () => {
    const server = await serve(echo);
    const client = await sendRaw(server, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await receive(client, "1.1 GET / 0");
    client.socket.write("nonsense\r\n\r\n");
    const { statuses } = readAnswers(await client.closed);
    expect(statuses).toEqual(["200", "400"]);
  });

  it("has the same shape on HTTP/2", async () => {
    const server = await serve(echo);
    const session = await openSession(server);
    const expectation = openStream(session, "/", { expect: "tea" });
    const refused = await expectation.answer;
    expect(refused).toMatchObject({ status: 417, headers: { "content-type": "application/json" } });
    expect(JSON.parse(refused.text)).toEqual(errorBody("417", "the only expectation that can be met is 100-continue"));

    const tunnel = session.request({ ":method": "CONNECT", ":authority": "a:1" });
    const [head] = await once(tunnel, "response");
    expect(head[":status"]).toBe(501);
  });

  it("leaves the server as it was", async () => {
    const server = await serve(echo);
    const clients = await Promise.all(Array.from({ length: 50 }, () => sendRaw(server, "nonsense\r\n\r\n")));
    await Promise.all(clients.map(({ closed }) => closed));
    expect((await call(server, "/still")).text).toBe("1.1 GET /still 0");
  });
});
