import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { PREFACE } from "../../src/server/sniff.ts";
import {
  call,
  createAgent,
  createInbox,
  decodeFrames,
  echo,
  encodeFrame,
  errorBody,
  FRAME,
  GET_HEADERS,
  openSession,
  openStream,
  receiveFrame,
  sendRaw,
  serve,
  WHOLE_REQUEST,
} from "./harness.ts";

describe("maxConnections", () => {
  it("closes the connection that is one too many, and serves the next once there is room", async () => {
    const server = await serve(echo, { maxConnections: 2 });
    const agent = createAgent();
    await call(server, "/", { agent });
    const second = await sendRaw(server, "G");
    await vi.waitFor(() => expect(server.openConnections).toBe(2));
    const third = await sendRaw(server, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    expect(await third.closed).toBe("");
    expect((await call(server, "/kept", { agent })).text).toBe("1.1 GET /kept 0");
    second.socket.destroy();
    await vi.waitFor(() => expect(server.openConnections).toBe(1));
    expect((await call(server, "/new")).text).toBe("1.1 GET /new 0");
  });
});

describe("keepAliveTimeoutMs", () => {
  it("ends an HTTP/2 session on which nothing is asked", async () => {
    const server = await serve(echo, { keepAliveTimeoutMs: 100 });
    const session = await openSession(server);
    const [code] = await once(session, "goaway");
    expect(code).toBe(0);
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
  });

  it("does not end a session whose stream is silent for longer", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, { keepAliveTimeoutMs: 100 });
    const session = await openSession(server);
    const { stream, answer } = openStream(session, "/slow");
    stream.end();
    const { response } = await inbox.next();
    let goaways = 0;
    session.on("goaway", () => {
      goaways += 1;
    });
    await delay(400);
    expect(goaways).toBe(0);
    response.end("at last");
    expect((await answer).text).toBe("at last");
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
  });

  it("does not end an HTTP/1.1 answer that is silent for longer", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, { headersTimeoutMs: 50, requestTimeoutMs: 50, keepAliveTimeoutMs: 50 });
    const answer = call(server, "/slow");
    const { response } = await inbox.next();
    await delay(400);
    response.end("at last");
    expect((await answer).text).toBe("at last");
  });
});

describe("headersTimeoutMs", () => {
  it("ends an HTTP/2 connection that sends its preface and then nothing", async () => {
    const server = await serve(echo, { headersTimeoutMs: 100 });
    const client = await sendRaw(server, PREFACE.toString("latin1"));
    await client.closed;
    expect(decodeFrames(client.received()).some(({ type }) => type === FRAME.goaway)).toBe(true);
  });

  it("does not end an HTTP/2 connection that is set up and waits", async () => {
    const server = await serve(echo, { headersTimeoutMs: 50 });
    const session = await openSession(server);
    await delay(300);
    const { stream, answer } = openStream(session, "/later");
    stream.end();
    expect((await answer).text).toBe("2.0 POST /later 0");
  });
});

describe("requestTimeoutMs on HTTP/2", () => {
  it("answers 408 to a body that stops, and tells the handler", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, { headersTimeoutMs: 100, requestTimeoutMs: 100 });
    const { stream, answer } = openStream(await openSession(server), "/half");
    stream.write("half");
    const { request, response } = await inbox.next();
    request.resume();
    const closed = once(response, "close");
    const { status, text } = await answer;
    await closed;
    expect(status).toBe(408);
    expect(JSON.parse(text)).toEqual(errorBody("408", "the request did not arrive within 100 ms"));
  });

  it("leaves a call alone whose request is there and whose answer is slow", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, { headersTimeoutMs: 50, requestTimeoutMs: 50 });
    const { stream, answer } = openStream(await openSession(server), "/slow");
    stream.end("whole");
    const { response } = await inbox.next();
    await delay(300);
    response.end("at last");
    expect(await answer).toMatchObject({ status: 200, text: "at last" });
  });

  it("leaves a call alone that streams both ways", async () => {
    const inbox = createInbox();
    const server = await serve(inbox.handler, { headersTimeoutMs: 50, requestTimeoutMs: 50 });
    const { stream, answer } = openStream(await openSession(server), "/talk");
    stream.write("one");
    const { request, response } = await inbox.next();
    response.write("first ");
    await delay(300);
    request.on("data", () => undefined).on("end", () => response.end("second"));
    stream.end("two");
    expect(await answer).toMatchObject({ status: 200, text: "first second" });
  });
});

describe("maxConcurrentStreams", () => {
  it("is told to the client", async () => {
    const server = await serve(echo, { maxConcurrentStreams: 7 });
    const session = await openSession(server);
    expect(session.remoteSettings.maxConcurrentStreams).toBe(7);
  });

  it("can be used up by one client that reads slowly", async () => {
    const server = await serve((_request, response) => {
      response.end("x".repeat(60_000));
    });
    const session = await openSession(server);
    const heads = Array.from({ length: 1_000 }, async (_, index) => {
      const [head] = await once(session.request({ ":path": `/${index}` }), "response");
      return head[":status"];
    });
    expect(new Set(await Promise.all(heads))).toEqual(new Set([200]));
  });
});

/** So many streams, each opened and cancelled at once; the first one has this id. */
function encodeResets(count: number, firstId = 1): Buffer {
  const cancel = Buffer.from([0, 0, 0, 8]);
  return Buffer.concat(
    Array.from({ length: count }, (_, index) => {
      const id = firstId + 2 * index;
      return Buffer.concat([
        encodeFrame(FRAME.headers, WHOLE_REQUEST, id, GET_HEADERS),
        encodeFrame(FRAME.reset, 0, id, cancel),
      ]);
    }),
  );
}

describe("floods", () => {
  it("does not end a session whose client cancels a lot", async () => {
    const server = await serve(echo);
    const client = await sendRaw(server, PREFACE.toString("latin1"));
    client.socket.write(encodeFrame(FRAME.settings, 0, 0));
    client.socket.write(encodeResets(3_000));
    client.socket.write(encodeFrame(FRAME.headers, WHOLE_REQUEST, 6_001, GET_HEADERS));
    const head = await receiveFrame(client, FRAME.headers, 6_001);
    expect(head.payload[0]).toBe(0x88); // `:status: 200` of the static table.
  });

  it("ends a session that opens streams only to reset them", async () => {
    const server = await serve(echo);
    const client = await sendRaw(server, PREFACE.toString("latin1"));
    client.socket.write(encodeFrame(FRAME.settings, 0, 0));
    // As many as a busy machine needs, which takes so long for each that some are forgiven.
    client.socket.write(encodeResets(100_000));
    await client.closed;
    expect((await call(server, "/still")).text).toBe("1.1 GET /still 0");
  }, 60_000);

  it("goes on when sessions and streams fail", async () => {
    const server = await serve(echo);
    const broken = await sendRaw(server, `${PREFACE.toString("latin1")}${"nonsense".repeat(100)}`);
    await broken.closed;
    const session = await openSession(server);
    const { stream } = openStream(session, "/");
    stream.write("half");
    session.destroy();
    const large = openStream(await openSession(server), "/", { x: "x".repeat(70_000) });
    await expect(large.answer).rejects.toThrow();
    expect((await call(server, "/still")).text).toBe("1.1 GET /still 0");
  });
});
