/** The end of a server with calls in flight. */
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { FinishReason } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { collect, failureOf, until } from "../support/collect.ts";
import { DoorError } from "../support/door-error.ts";
import { DOORS, openDoor, type Params } from "../support/doors.ts";
import { fold } from "../support/fold.ts";
import { startTestGateway } from "../support/gateway.ts";

const user = (value: string) => ({ role: Role.USER, content: [{ kind: { case: "text" as const, value } }] });
const SLOW: Params = {
  model: "sandbox/echo",
  messages: [user("one two three four five six")],
  extra: { sandbox: { token_delay_ms: 60 } },
};
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

  it.each(DOORS)("%s: ends what is left after the grace period with a typed error", async (name) => {
    const gateway = await startTestGateway({ timeouts: { drainMs: 150 } });
    const door = openDoor(name, gateway.url);
    const stream = failureOf(collect(door.stream(STALL)));
    const whole = failureOf(door.complete(STALL));
    await until(() => gateway.openCalls === 2, "two open calls");
    await gateway.stop();
    for (const thrown of await Promise.all([stream, whole])) {
      expect(thrown).toBeInstanceOf(DoorError);
      expect((thrown as DoorError).code).toBe("shutting_down");
    }
    door.close();
    expect([gateway.openCalls, gateway.openConnections]).toEqual([0, 0]);
  });

  it("is not ready at once, tells those who watch, and takes no new call", async () => {
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
    await watch.return?.();
    await stopped;
  });
});
