import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { until } from "./collect.ts";
import { DOORS, type DoorClient, openDoor, type Params } from "./doors.ts";
import { type SettingsChange, startTestGateway, type TestGateway } from "./gateway.ts";
import { VENDORS, type Vendor } from "./stage-vendors.ts";
import { json, type Reply, startUpstream, type Upstream, type UpstreamRequest } from "./upstream.ts";

/** What the caller asks. No error, no log and no other call may have it. */
export const PROMPT = "whisper-of-the-caller";

/** What no error and no log may say of what an upstream says. */
export const SECRET_WORDS = "words-of-the-upstream";

/** A gateway with one provider of each family, all of them played by one hand-made upstream. */
export interface VendorStage {
  gateway(): TestGateway;
  upstream(): Upstream;
  door(name: DoorClient["name"]): DoorClient;
  /** Says what every call is answered with from now on. */
  answer(reply: Reply | ((request: UpstreamRequest) => Reply)): void;
  /** The next call that reaches the upstream. */
  nextCall(): Promise<UpstreamRequest>;
}

/** Parameters of a call of a vendor's model. */
export const ask = ({ id }: Vendor, more: Params = {}): Params => ({
  model: `${id}/large`,
  messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: PROMPT } }] }],
  ...more,
});

/** No vendor lists a model; each of them reads its own list out of this. */
const NO_MODELS = json({ object: "list", data: [], has_more: false, models: [] });

/** Such a gateway, for the tests of a `describe`. After each of them no call may be open, and no secret in the log. */
export function useVendorStage(change: SettingsChange = {}): VendorStage {
  let upstream: Upstream;
  let gateway: TestGateway;
  let doors: Map<string, DoorClient>;
  let reply: Reply | ((request: UpstreamRequest) => Reply) = {};
  beforeAll(async () => {
    upstream = await startUpstream((request) => {
      if (request.method === "GET") return NO_MODELS;
      return typeof reply === "function" ? reply(request) : reply;
    });
    gateway = await startTestGateway({ ...change, providers: VENDORS.map((it) => it.settings(upstream.url)) });
    doors = new Map(DOORS.map((name) => [name, openDoor(name, gateway.url)]));
    await upstream.request(VENDORS.length - 1); // The lists of models are asked for, once.
  });
  afterEach(async () => {
    await until(() => gateway.openCalls === 0, "no open call");
    const logged = JSON.stringify(gateway.lines);
    for (const secret of [PROMPT, SECRET_WORDS, ...VENDORS.map(({ key }) => key)]) expect(logged).not.toContain(secret);
  });
  afterAll(async () => {
    for (const door of doors.values()) door.close();
    await gateway.stop();
    await until(() => upstream.openConnections === 0, "no connection to the upstream");
    await upstream.close();
    expect([gateway.openCalls, gateway.openConnections]).toEqual([0, 0]);
  });
  return {
    gateway: () => gateway,
    upstream: () => upstream,
    door: (name) => doors.get(name) as DoorClient,
    answer: (next) => {
      reply = next;
    },
    nextCall: () => upstream.request(upstream.requests.length),
  };
}
