import { once } from "node:events";
import http from "node:http";
import { describe, expect, it, vi } from "vitest";
import { PREFACE } from "../../src/server/sniff.ts";
import {
  call,
  createAgent,
  createInbox,
  decodeFrames,
  echo,
  encodeFrame,
  FRAME,
  GET_HEADERS,
  openSession,
  openStream,
  readText,
  receive,
  receiveFrame,
  sendRaw,
  serve,
  WHOLE_REQUEST,
} from "./harness.ts";

/** Longer than a test may take: a close() that resolves did not wait for it. */
const LONG_MS = 60_000;

describe("close()", () => {
  it("closes idle connections at once", async () => {
    const server = await serve(echo);
    const agent = createAgent();
    await call(server, "/", { agent });
    const session = await openSession(server);
    const sessionClosed = once(session, "close");
    const silent = await sendRaw(server, "");
    const halfPreface = await sendRaw(server, "PRI");
    const halfHeaders = await sendRaw(server, "GET / HT");
    await vi.waitFor(() => expect(server.openConnections).toBe(5));
    await server.close(LONG_MS);
    await Promise.all([sessionClosed, silent.closed, halfPreface.closed, halfHeaders.closed]);
    expect(server.openConnections).toBe(0);
  });

  it("accepts no more", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler);
    const answer = call(server, "/held");
    const { response } = await inbox.next();
    const closed = server.close(LONG_MS);
    await expect(call(server, "/late")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    response.end();
    await answer;
    await closed;
  });

  it("lets an HTTP/1.1 call finish, and ends its connection with it", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler);
    const answer = call(server, "/held", { agent: createAgent() });
    const { response } = await inbox.next();
    const closed = server.close(LONG_MS);
    response.end("whole");
    expect(await answer).toMatchObject({ status: 200, text: "whole", headers: { connection: "close" } });
    await closed;
  });

  it("lets an HTTP/1.1 stream finish whose connection was to be kept", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler);
    const request = http.get(server.address.url, { agent: createAgent() });
    const { response } = await inbox.next();
    response.write("one ");
    const [incoming] = (await once(request, "response")) as [http.IncomingMessage];
    expect(incoming.headers.connection).toBe("keep-alive");
    const closed = server.close(LONG_MS);
    response.write("two ");
    response.end("three");
    expect(await readText(incoming)).toBe("one two three");
    await closed;
  });

  it("lets a request finish whose body is still coming", async () => {
    const server = await serve(echo);
    const client = await sendRaw(server, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\nhalf");
    await vi.waitFor(() => expect(server.openConnections).toBe(1));
    const request = http.get(server.address.url); // A later one that is answered: the first has been read by then.
    await once(request, "response");
    const closed = server.close(LONG_MS);
    client.socket.write("half");
    const received = await client.closed;
    expect(received.toLowerCase()).toContain("connection: close");
    expect(received).toMatch(/1\.1 POST \/ 8$/);
    await closed;
  });

  it("ends the connection with a request that comes behind one in flight", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler);
    const client = await sendRaw(server, "GET /1 HTTP/1.1\r\nhost: a\r\n\r\n");
    const first = await inbox.next();
    first.response.write("one");
    await receive(client, "one");
    const closed = server.close(LONG_MS);
    client.socket.write("GET /2 HTTP/1.1\r\nhost: a\r\n\r\n");
    await vi.waitFor(() => expect(first.request.socket.bytesRead).toBe(client.socket.bytesWritten));
    first.response.end();
    (await inbox.next()).response.end("two");
    const received = await client.closed;
    expect(received.match(/connection: \S+/gi)).toEqual(["Connection: keep-alive", "Connection: close"]);
    expect(received).toMatch(/two$/);
    await closed;
  });

  it("lets an HTTP/2 stream finish, and tells the client to go away", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler);
    const session = await openSession(server);
    const goaway = once(session, "goaway");
    const { stream, answer } = openStream(session, "/held");
    stream.end();
    const { response } = await inbox.next();
    response.write("one ");
    const closed = server.close(LONG_MS);
    expect((await goaway).slice(0, 2)).toEqual([0, 1]);
    response.write("two ");
    response.end("three");
    expect(await answer).toMatchObject({ status: 200, text: "one two three" });
    await closed;
  });

  it("names the last stream that counts in its GOAWAY, and opens no later one", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler);
    const client = await sendRaw(server, PREFACE.toString("latin1"));
    client.socket.write(encodeFrame(FRAME.settings, 0, 0));
    client.socket.write(encodeFrame(FRAME.headers, WHOLE_REQUEST, 1, GET_HEADERS));
    const { response } = await inbox.next();
    const closed = server.close(LONG_MS);
    const goaway = await receiveFrame(client, FRAME.goaway);
    expect(goaway.payload.toString("hex")).toBe("0000000100000000");
    client.socket.write(encodeFrame(FRAME.headers, WHOLE_REQUEST, 3, GET_HEADERS));
    response.end();
    await closed;
    await client.closed;
    const answered = decodeFrames(client.received()).filter(({ type }) => type === FRAME.headers);
    expect(answered.map(({ streamId }) => streamId)).toEqual([1]);
  });

  it("destroys what is left after the grace", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler);
    const plain = call(server, "/plain");
    const plainFailed = expect(plain).rejects.toMatchObject({ code: "ECONNRESET" });
    const calls = [await inbox.next()];
    const streaming = http.get(`${server.address.url}/streaming`);
    calls.push(await inbox.next());
    calls[1]?.response.write("begun");
    const [incoming] = (await once(streaming, "response")) as [http.IncomingMessage];
    const { stream, answer } = openStream(await openSession(server), "/h2");
    stream.end();
    calls.push(await inbox.next());
    const told = calls.map(({ response }) => once(response, "close"));
    await server.close(50);
    await plainFailed;
    await expect(readText(incoming)).rejects.toMatchObject({ code: "ECONNRESET" });
    await expect(answer).rejects.toThrow();
    await Promise.all(told);
    expect(server.openConnections).toBe(0);
  });

  it("can be called again, and takes the shorter grace", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler);
    const answer = call(server, "/held");
    const failed = expect(answer).rejects.toMatchObject({ code: "ECONNRESET" });
    await inbox.next();
    const first = server.close(LONG_MS);
    const second = server.close(0);
    await Promise.all([first, second, failed]);
    await server.close(LONG_MS);
    expect(server.openConnections).toBe(0);
  });

  it("does not wait for clients that never hang up", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler);
    const hello = Buffer.concat([PREFACE, encodeFrame(FRAME.settings, 0, 0)]).toString("latin1");
    const idle = await sendRaw(server, hello);
    await receiveFrame(idle, FRAME.settings);
    idle.socket.pause();
    const busy = await sendRaw(server, hello);
    busy.socket.write(encodeFrame(FRAME.headers, WHOLE_REQUEST, 1, GET_HEADERS));
    const { response } = await inbox.next();
    busy.socket.pause();
    const closed = server.close(LONG_MS);
    response.end();
    await closed;
    expect(server.openConnections).toBe(0);
  });
});
