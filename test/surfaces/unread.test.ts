/** Clients that stop reading a stream: its deadline ends the work all the same. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { until } from "../support/collect.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { envelope, openRaw, requestBytes, STREAM } from "../support/raw-call.ts";

/** Far more than the windows of HTTP/2 hold. */
const TEXT = "word ".repeat(8_000);
const MESSAGE = envelope(
  requestBytes({
    model: "sandbox/echo",
    messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: TEXT } }] }],
  }),
);
/** Long enough to fill the windows on a busy machine, too. */
const TIMEOUT_MS = 3_000;
const GRPC = { "content-type": "application/grpc", te: "trailers", "grpc-timeout": `${TIMEOUT_MS}m` };

const ROWS = [
  ["grpc", STREAM, GRPC, MESSAGE],
  ["grpc-web", STREAM, { ...GRPC, "content-type": "application/grpc-web+proto" }, MESSAGE],
  [
    "connect",
    STREAM,
    { "content-type": "application/connect+proto", "connect-timeout-ms": String(TIMEOUT_MS) },
    MESSAGE,
  ],
  [
    "rest",
    "/v1/chat/completions",
    { "content-type": "application/json", "x-parley-timeout-ms": String(TIMEOUT_MS) },
    JSON.stringify({ model: "sandbox/echo", messages: [{ role: "user", content: TEXT }], stream: true }),
  ],
] as const;

describe("a stream that its client does not read", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(async () => {
    await gateway.stop();
  });

  it.each(ROWS)("%s: ends at its deadline, and says so when it is read", async (_door, path, headers, body) => {
    const client = openRaw(gateway.url);
    onTestFinished(() => client.close());
    const read = Promise.withResolvers<void>();
    const call = client.call(path, { headers, body, readsAfter: read.promise });
    await until(() => gateway.openCalls === 1, "one open call");
    await until(() => gateway.openCalls === 0, "no open call");
    read.resolve();
    const { trailers, body: answer } = await call;
    expect(answer.length).toBeGreaterThan(65_535);
    const end = `${JSON.stringify(trailers)} ${answer.toString("latin1").slice(-4_000)}`;
    expect(end.replaceAll("%20", " ")).toContain(`the call did not end within its deadline of ${TIMEOUT_MS} ms`);
  });
});
