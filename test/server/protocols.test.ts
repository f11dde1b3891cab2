import { once } from "node:events";
import http from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { matchPreface, PREFACE } from "../../src/server/sniff.ts";
import {
  call,
  createAgent,
  echo,
  encodeFrame,
  FRAME,
  GET_HEADERS,
  openSession,
  openStream,
  readText,
  receiveFrame,
  sendRaw,
  serve,
  WHOLE_REQUEST,
} from "./harness.ts";

describe("matchPreface()", () => {
  it.each([
    ["", "undecided"],
    ["P", "undecided"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r", "undecided"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0", "http2"],
    ["G", "http1"],
    ["PUT / HTTP/1.1\r\n", "http1"],
    ["PRI /", "http1"],
    ["PRI * HTTP/2.0\r\n\r\nXX", "http1"],
    ["pri * http/2.0\r\n", "http1"],
  ])("%j: %s", (head, expected) => {
    expect(matchPreface(Buffer.from(head, "latin1"))).toBe(expected);
  });
});

describe("one port", () => {
  it("serves HTTP/1.1 and HTTP/2 side by side", async () => {
    const server = await serve(echo);
    const session = await openSession(server);
    const { stream, answer } = openStream(session, "/two");
    stream.end("four");
    expect(await call(server, "/one", { method: "PUT" }, "three")).toMatchObject({
      status: 200,
      text: "1.1 PUT /one 5",
    });
    expect(await answer).toMatchObject({ status: 200, text: "2.0 POST /two 4" });
  });

  it("knows a preface that comes byte by byte", async () => {
    const server = await serve(echo);
    const client = await sendRaw(server, "");
    for (const byte of PREFACE) {
      client.socket.write(Buffer.from([byte]));
      await delay(1);
    }
    client.socket.write(encodeFrame(FRAME.settings, 0, 0));
    client.socket.write(encodeFrame(FRAME.headers, WHOLE_REQUEST, 1, GET_HEADERS));
    const head = await receiveFrame(client, FRAME.headers, 1);
    expect(head.payload[0]).toBe(0x88); // `:status: 200` of the static table.
  });

  it("takes a preface, settings and a request that come in one piece", async () => {
    const server = await serve(echo);
    const client = await sendRaw(server, "");
    const settings = encodeFrame(FRAME.settings, 0, 0);
    client.socket.write(Buffer.concat([PREFACE, settings, encodeFrame(FRAME.headers, WHOLE_REQUEST, 1, GET_HEADERS)]));
    const head = await receiveFrame(client, FRAME.headers, 1);
    expect(head.payload[0]).toBe(0x88);
  });

  it.each(["PUT", "POST", "PATCH", "PROPFIND"])("does not take a slow %s for a preface", async (method) => {
    const server = await serve(echo);
    const client = await sendRaw(server, "");
    for (const byte of `${method} /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`) {
      client.socket.write(byte);
      await delay(1);
    }
    expect(await client.closed).toMatch(new RegExp(`^HTTP/1\\.1 200 OK\r\n[^]*\r\n\r\n1\\.1 ${method} /x 0$`));
  });

  it("answers several requests on one HTTP/1.1 connection", async () => {
    const server = await serve(echo);
    const agent = createAgent();
    const texts: string[] = [];
    for (const path of ["/a", "/b", "/c"]) texts.push((await call(server, path, { agent })).text);
    expect(texts).toEqual(["1.1 GET /a 0", "1.1 GET /b 0", "1.1 GET /c 0"]);
    expect(server.openConnections).toBe(1);
  });

  it.each(["h2c", "websocket"])("answers an offer to upgrade to %s in HTTP/1.1", async (protocol) => {
    const server = await serve(echo);
    const headers = { connection: "upgrade", upgrade: protocol };
    expect(await call(server, "/one", { headers })).toMatchObject({ status: 200, text: "1.1 GET /one 0" });
  });

  it("carries a large body on both protocols", async () => {
    const server = await serve(echo);
    const body = "x".repeat(3_000_000);
    const { stream, answer } = openStream(await openSession(server), "/two");
    stream.end(body);
    expect((await call(server, "/one", { method: "POST" }, body)).text).toBe("1.1 POST /one 3000000");
    expect((await answer).text).toBe("2.0 POST /two 3000000");
  });

  it("tells a client that waits for it to continue", async () => {
    const server = await serve(echo);
    const request = http.request(`${server.address.url}/one`, { method: "POST", headers: { expect: "100-continue" } });
    request.flushHeaders();
    await once(request, "continue");
    request.end("four");
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    expect(await readText(response)).toBe("1.1 POST /one 4");

    const { stream, answer } = openStream(await openSession(server), "/two", { expect: "100-continue" });
    await once(stream, "continue");
    stream.end("four");
    expect((await answer).text).toBe("2.0 POST /two 4");
  });

  it("has no connection left when its clients are gone", async () => {
    const server = await serve(echo);
    const agent = createAgent();
    await call(server, "/", { agent });
    const session = await openSession(server);
    const silent = await sendRaw(server, "");
    const halfPreface = await sendRaw(server, "PRI");
    await vi.waitFor(() => expect(server.openConnections).toBe(4));
    agent.destroy();
    session.close();
    silent.socket.end();
    halfPreface.socket.resetAndDestroy();
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
  });
});
