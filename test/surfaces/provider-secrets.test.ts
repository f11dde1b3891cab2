/** Keys that look like ordinary words, and an upstream that repeats them wherever it can: no caller and no log gets to see them. */
import { describe, expect, it, onTestFinished } from "vitest";
import { collect, failureOf, until } from "../support/collect.ts";
import type { DoorError } from "../support/door-error.ts";
import { DOORS, openDoor } from "../support/doors.ts";
import { startTestGateway } from "../support/gateway.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { eventStream, json, type Reply, startUpstream, type UpstreamRequest } from "../support/upstream.ts";
import { ask } from "../support/vendor-stage.ts";

const KEY = "correct-horse-battery";

/** Each vendor's word for a request that is not valid. */
const WORDS = { openai: "invalid_request_error", anthropic: "invalid_request_error", google: "INVALID_ARGUMENT" };

/** What came with a request, as a server that says too much repeats it. */
const repeat = ({ headers }: UpstreamRequest): string =>
  ["authorization", "x-api-key", "x-goog-api-key"].map((name) => headers[name] ?? "").join(" ");

const WAYS: readonly (readonly [string, (vendor: Vendor, said: string) => Reply])[] = [
  ["in a failure", ({ id, error }, said) => json(error(WORDS[id], said, { param: said }), 400)],
  ["where a long failure is cut", ({ id, error }, said) => json(error(WORDS[id], `${"word ".repeat(97)}${said}`), 400)],
  ["in a failure that is text", (_vendor, said) => ({ status: 400, pieces: [said] })],
  ["in a success", ({ id, error }, said) => json(error(WORDS[id], said, { code: 400, param: said }))],
  ["in the first event", ({ id, errorEvent }, said) => eventStream([errorEvent(WORDS[id], said)])],
  [
    "in a later event",
    ({ id, errorEvent, opening, said: says }, said) =>
      eventStream([...opening, says("Hello"), errorEvent(WORDS[id], said)]),
  ],
];

describe.each(VENDORS)("the key for $id", (vendor) => {
  it.each(WAYS)("is not passed on %s", async (_way, answer) => {
    const upstream = await startUpstream((request) => answer(vendor, repeat(request)));
    const settings = JSON.stringify(vendor.settings(upstream.url)).replace(vendor.key, KEY);
    const gateway = await startTestGateway({ providers: [JSON.parse(settings)] });
    const doors = DOORS.map((name) => openDoor(name, gateway.url));
    onTestFinished(async () => {
      for (const door of doors) door.close();
      await gateway.stop();
      await upstream.close();
    });
    for (const door of doors) {
      const calls = [door.complete(ask(vendor)), collect(door.stream(ask(vendor)))];
      for (const error of (await Promise.all(calls.map(failureOf))) as DoorError[]) {
        expect(`${error.message} ${error.param} ${JSON.stringify(error.details)}`).not.toMatch(/correct|horse|battery/);
      }
    }
    expect(upstream.requests.some((request) => repeat(request).includes(KEY))).toBe(true);
    await until(() => gateway.openCalls === 0, "no open call");
    expect(JSON.stringify(gateway.lines)).not.toContain(KEY);
  });
});
