/** Requests that do not arrive in time: the deadline ends their calls, too. */
import { connect } from "node:net";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { until } from "../support/collect.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { CREATE, envelope, openRaw, STREAM } from "../support/raw-call.ts";
import { readRawError } from "../support/raw-error.ts";

const REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const WATCH = "/grpc.health.v1.Health/Watch";
const GRPC = { "content-type": "application/grpc", te: "trailers", "grpc-timeout": "150m" };
const CONNECT = { "content-type": "application/json", "connect-timeout-ms": "150" };
/** The first half of a message of 100 bytes. */
const HALF = envelope(Buffer.alloc(100)).subarray(0, 50);

describe("a deadline", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(async () => {
    await gateway.stop();
    expect([gateway.openCalls, gateway.openConnections]).toEqual([0, 0]);
  });

  it.each([
    ["gRPC: half of a message", CREATE, { headers: GRPC, body: HALF, isOpen: true }],
    ["gRPC, stream: no message", STREAM, { headers: GRPC, isOpen: true }],
    [
      "gRPC: a message without the end of the request",
      CREATE,
      { headers: GRPC, body: envelope(Buffer.alloc(0)), isOpen: true },
    ],
    [
      "gRPC-Web: half of a message",
      STREAM,
      { headers: { ...GRPC, "content-type": "application/grpc-web" }, body: HALF, isOpen: true },
    ],
    ["Connect: half of a message", CREATE, { headers: CONNECT, body: "{", isOpen: true }],
    [
      "Connect, stream: half of a message",
      STREAM,
      { headers: { ...CONNECT, "content-type": "application/connect+json" }, body: HALF, isOpen: true },
    ],
    ["a stream both ways that waits for its next question", REFLECTION, { headers: GRPC, isOpen: true }],
    ["a watch of the health", WATCH, { headers: GRPC, body: envelope(Buffer.alloc(0)) }],
  ])("ends %s", async (name, path, call) => {
    const client = openRaw(gateway.url);
    onTestFinished(() => client.close());
    const requestId = name.replaceAll(/\W+/g, "-");
    const answer = await client.call(path, { ...call, headers: { ...call.headers, "x-request-id": requestId } });
    const error = readRawError(answer);
    expect(Code[error.code]).toBe("DeadlineExceeded");
    expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("DEADLINE_EXCEEDED");
    const ownLine = () => gateway.lines.find((line) => line["requestId"] === requestId);
    await until(() => ownLine() !== undefined, "a line of the call");
    expect(ownLine()).toMatchObject({ reason: "DEADLINE_EXCEEDED", status: "deadline_exceeded", level: "warn" });
  });

  it("ends half of a body on REST", async () => {
    const client = openRaw(gateway.url);
    onTestFinished(() => client.close());
    const headers = { "content-type": "application/json", "x-parley-timeout-ms": "150" };
    const answer = await client.call("/v1/chat/completions", { headers, body: "{", isOpen: true });
    expect(answer.headers[":status"]).toBe(504);
    expect(JSON.parse(answer.body.toString("utf8"))).toMatchObject({
      error: { type: "server_error", code: "timeout" },
    });
  });

  it("ends half of a message on HTTP/1.1, and the connection goes on when the rest has come", async () => {
    const { port } = gateway.address;
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    let received = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      received += text;
    });
    const head = `POST ${CREATE} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnect-timeout-ms: 150\r\n`;
    socket.write(`${head}content-length: 100\r\n\r\n{`);
    await until(() => received.includes("deadline_exceeded"), "the answer");
    expect(received).toMatch(/^HTTP\/1\.1 504 /);
    socket.write(`${" ".repeat(99)}GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await until(() => received.includes('{"status":"ok"}'), "the answer to the next request");
  });
});
