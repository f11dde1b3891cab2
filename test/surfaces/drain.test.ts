/** The end of a server with calls in flight. */
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { FinishReason } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { collect, failureOf, until } from "../support/collect.ts";
import { DoorError } from "../support/door-error.ts";
import { DOORS, openDoor, type Params } from "../support/doors.ts";
import { fold } from "../support/fold.ts";
import { startTestGateway } from "../support/gateway.ts";
import { CREATE, envelope, openRaw, type RawAnswer, requestBytes, STREAM } from "../support/raw-call.ts";
import { readRawError } from "../support/raw-error.ts";

const user = (value: string) => ({ role: Role.USER, content: [{ kind: { case: "text" as const, value } }] });
const SLOW: Params = {
  model: "sandbox/echo",
  messages: [user("one two three four five six")],
  extra: { sandbox: { token_delay_ms: 60 } },
};
const SLOW_WHOLE: Params = { ...SLOW, extra: { sandbox: { start_delay_ms: 300 } } };
const STALL: Params = { model: "sandbox/fault-stall", messages: [user("one two three four five")] };

describe("drain", () => {
  it.each(DOORS)("%s: lets an open stream finish", async (name) => {
    const gateway = await startTestGateway();
    const door = openDoor(name, gateway.url);
    const stream = collect(door.stream(SLOW));
    await until(() => gateway.openCalls === 1, "one open call");
    const stopped = gateway.stop();
    expect(fold(await stream).choices[0]?.finishReason).toBe(FinishReason.STOP);
    door.close();
    await stopped;
    expect([gateway.openCalls, gateway.openConnections]).toEqual([0, 0]);
  });

  it.each(DOORS)("%s: lets an open whole call finish", async (name) => {
    const gateway = await startTestGateway();
    const door = openDoor(name, gateway.url);
    const call = door.complete(SLOW_WHOLE);
    await until(() => gateway.openCalls === 1, "one open call");
    const stopped = gateway.stop();
    expect((await call).choices[0]?.finishReason).toBe(FinishReason.STOP);
    door.close();
    await stopped;
    expect([gateway.openCalls, gateway.openConnections]).toEqual([0, 0]);
  });

  it.each(DOORS)("%s: ends what is left after the grace period with a typed error", async (name) => {
    const gateway = await startTestGateway({ timeouts: { drainMs: 150 } });
    const door = openDoor(name, gateway.url);
    const stream = failureOf(collect(door.stream(STALL)));
    const whole = failureOf(door.complete(STALL));
    await until(() => gateway.openCalls === 2, "two open calls");
    await gateway.stop();
    for (const thrown of await Promise.all([stream, whole])) {
      expect(thrown).toBeInstanceOf(DoorError);
      const { type, code, param } = thrown as DoorError;
      expect({ type, code, param }).toEqual({ type: "server_error", code: "shutting_down", param: null });
    }
    door.close();
    expect([gateway.openCalls, gateway.openConnections]).toEqual([0, 0]);
  });

  it("is not ready at once, and tells those who watch", async () => {
    const gateway = await startTestGateway({ timeouts: { drainMs: 1_000 } });
    const health = createClient(Health, createGrpcTransport({ baseUrl: gateway.url }));
    const watch = health.watch({ service: "parley.chat.v1.ChatService" })[Symbol.asyncIterator]();
    expect((await watch.next()).value?.status).toBe(1);
    const door = openDoor("rest", gateway.url);
    const open = collect(door.stream(SLOW));
    await until(() => gateway.openCalls === 1, "one open call");
    const stopped = gateway.stop();
    expect((await watch.next()).value?.status).toBe(2);
    await open;
    await failureOf(fetch(`${gateway.url}/readyz`));
    expect(await watch.next()).toEqual({ done: true, value: undefined });
    await stopped;
  });

  it("refuses a call whose request was still on its way", async () => {
    const gateway = await startTestGateway();
    const client = openRaw(gateway.url);
    const params = { model: "sandbox/echo", messages: [user("a")] };
    const json = JSON.stringify({ model: "sandbox/echo", messages: [{ role: "user", content: "a" }] });
    const stopping = Promise.withResolvers<void>();
    const [rest, ...rpcs] = [
      ["/v1/chat/completions", { "content-type": "application/json" }, json] as const,
      [CREATE, { "content-type": "application/proto" }, requestBytes(params)] as const,
      [STREAM, { "content-type": "application/grpc", te: "trailers" }, envelope(requestBytes(params))] as const,
      [STREAM, { "content-type": "application/grpc-web" }, envelope(requestBytes(params))] as const,
    ].map(([path, headers, body]) => client.call(path, { headers, body, sendsAfter: stopping.promise }));
    await client.call("/healthz", { method: "GET" }); // The requests before it on the connection have arrived.
    const stopped = gateway.stop();
    stopping.resolve();
    const { headers, body } = (await rest) as RawAnswer;
    expect([headers[":status"], headers["retry-after"], headers["retry-after-ms"]]).toEqual([503, "1", "1000"]);
    expect(JSON.parse(body.toString("utf8"))).toMatchObject({ error: { type: "server_error", code: "shutting_down" } });
    for (const answer of await Promise.all(rpcs)) {
      const error = readRawError(answer);
      expect(Code[error.code]).toBe("Unavailable");
      expect(error.findDetails(ErrorInfoSchema)).toMatchObject([{ reason: "SHUTTING_DOWN", domain: "parley" }]);
      expect(error.findDetails(RetryInfoSchema)).toMatchObject([{ retryDelay: { seconds: 1n } }]);
    }
    client.close();
    await stopped;
    expect([gateway.openCalls, gateway.openConnections]).toEqual([0, 0]);
  });
});
