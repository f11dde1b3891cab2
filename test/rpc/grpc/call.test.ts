/** Calls of gRPC whose requests come in pieces, late, or not to their end. */
import { connect } from "node:http2";
import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CreateChatCompletionResponseSchema } from "../../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Role } from "../../../src/gen/parley/chat/v1/message_pb.ts";
import { until } from "../../support/collect.ts";
import { startTestGateway, type TestGateway } from "../../support/gateway.ts";
import { CREATE, envelope, openRaw, requestBytes, STREAM } from "../../support/raw-call.ts";

const GRPC = { "content-type": "application/grpc", te: "trailers" };
const WHOLE = envelope(
  requestBytes({
    model: "sandbox/echo",
    messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: "in pieces" } }] }],
  }),
);

describe("a call of gRPC", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({ timeouts: { headersMs: 200, requestMs: 300 } });
  });
  afterAll(async () => {
    await gateway.stop();
    expect([gateway.openCalls, gateway.openConnections]).toEqual([0, 0]);
  });
  const lineOf = (requestId: string) =>
    gateway.lines.find((line) => line["requestId"] === requestId && line["msg"] === "call");

  it("is answered when its message comes byte by byte", async () => {
    const session = connect(gateway.url);
    const stream = session.request({ ":path": CREATE, ":method": "POST", ...GRPC });
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    const ended = new Promise((resolve) => stream.on("end", resolve));
    for (const byte of WHOLE) await new Promise((resolve) => stream.write(Buffer.from([byte]), resolve));
    stream.end();
    await ended;
    session.close();
    const { completion } = fromBinary(CreateChatCompletionResponseSchema, Buffer.concat(chunks).subarray(5));
    expect(completion?.choices[0]?.message?.content[0]?.kind).toEqual({ case: "text", value: "in pieces" });
  });

  it.each([CREATE, STREAM])("is refused when its request is not there in time: %s", async (path) => {
    const client = openRaw(gateway.url);
    const headers = { ...GRPC, "x-request-id": `late${path}` };
    const answer = await client.call(path, { headers, body: WHOLE.subarray(0, 9), isOpen: true });
    client.close();
    expect([answer.headers[":status"], answer.headers["x-request-id"]]).toEqual([408, `late${path}`]);
    expect(JSON.parse(answer.body.toString("utf8"))).toMatchObject({ error: { code: "request_timeout" } });
    await until(() => lineOf(`late${path}`) !== undefined, "a line of the call");
    expect(lineOf(`late${path}`)).toMatchObject({ door: "grpc", status: 408 });
  });

  it("is over when its client goes away within the request", async () => {
    const session = connect(gateway.url);
    const headers = { ":path": CREATE, ":method": "POST", ...GRPC, "x-request-id": "gone" };
    const stream = session.request(headers).on("error", () => undefined);
    await new Promise((resolve) => stream.write(WHOLE.subarray(0, 9), resolve));
    session.destroy();
    await until(() => lineOf("gone") !== undefined, "a line of the call");
    expect(lineOf("gone")).toMatchObject({ door: "grpc", reason: "CANCELLED", status: "canceled" });
  });
});
