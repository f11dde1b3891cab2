/** Answers of providers that are none, before anything was sent: each gets its typed error on every door, and its connection is closed. */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { collect, failureOf } from "../support/collect.ts";
import { DOORS } from "../support/doors.ts";
import { type ErrorRow, expectTold, ROWS } from "../support/error-rows.ts";
import { fold } from "../support/fold.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { eventStream, json, type Reply } from "../support/upstream.ts";
import { ask, SECRET_WORDS, useVendorStage } from "../support/vendor-stage.ts";

const PAGE = `<html><body>${SECRET_WORDS}</body></html>`;
const JSON_TYPE = { "content-type": "application/json" };
const HTML: Reply = { headers: { "content-type": "text/html; charset=UTF-8" }, pieces: [PAGE] };
const RESET: Reply = { status: "none", ending: "reset" };
const CLOSED: Reply = { status: "none", ending: "close" };
const encoded = (coding: string, body: string | Uint8Array, type = "application/json"): Reply => ({
  headers: { "content-type": type, "content-encoding": coding },
  pieces: [body],
});
const errorOf = ({ error, overloaded }: Vendor): object => error(overloaded, SECRET_WORDS);

/** What is told of a stream that was cut; "%" stands for the id of the provider. */
const INTERRUPTED = "the stream of % ended before its answer did; what came of it is not complete";

/** What is wrong, the answer, what it counts as, and what is told of it, behind the id of the provider or with it. */
type Row = readonly [what: string, answer: (vendor: Vendor) => Reply, row: ErrorRow, message: string];

const BOTH: readonly Row[] = [
  [
    "a reset before the head",
    () => RESET,
    ROWS.unreachable,
    "could not be reached: the connection was reset before an answer came",
  ],
  [
    "an end before the head",
    () => CLOSED,
    ROWS.unreachable,
    "could not be reached: the connection was closed before an answer came",
  ],
  ["what is no HTTP", () => ({ raw: `${SECRET_WORDS}\r\n\r\n` }), ROWS.unreadable, "answered with what is no HTTP"],
  ["a page", () => HTML, ROWS.unreadable, "answered with a page in HTML"],
  ["an error in a success", (vendor) => json(errorOf(vendor)), ROWS.overloaded, "is overloaded"],
  [
    "an encoding that nobody knows",
    () => encoded("rot13", PAGE),
    ROWS.unreadable,
    "answered with a body in an encoding that is not known",
  ],
  ["no gzip", () => encoded("gzip", PAGE), ROWS.unreadable, "answered with a body that cannot be decompressed"],
];

const WHOLE: readonly Row[] = [
  [
    "JSON that is none",
    () => ({ headers: JSON_TYPE, pieces: [`{"${SECRET_WORDS}`] }),
    ROWS.unreadable,
    "answered with a body that is no JSON",
  ],
  [
    "JSON that is cut",
    () => ({ headers: JSON_TYPE, pieces: ['{"id":'], ending: "close" }),
    ROWS.unreadable,
    "answered with a body that is cut",
  ],
  [
    "JSON that is reset",
    () => ({ headers: JSON_TYPE, pieces: ['{"id":'], ending: "reset" }),
    ROWS.unreadable,
    "answered with a body that is cut",
  ],
  [
    "a body that is too short",
    () => ({ headers: { ...JSON_TYPE, "content-length": "99" }, pieces: ['{"id":'], ending: "close" }),
    ROWS.unreadable,
    "answered with a body that is cut",
  ],
  ["no body", () => ({ headers: JSON_TYPE }), ROWS.unreadable, "answered with an empty body"],
  ["no body and no type", () => ({}), ROWS.unreadable, "answered with an empty body"],
  [
    "a text",
    () => ({ headers: { "content-type": "text/plain" }, pieces: [SECRET_WORDS] }),
    ROWS.unreadable,
    "answered with a body that is no JSON",
  ],
  [
    "an event stream",
    ({ opening, said, ending }) => eventStream([...opening, said("Hi"), ...ending]),
    ROWS.unreadable,
    "answered with an event stream where one piece of JSON was asked for",
  ],
  [
    "an answer in gzip that is cut",
    ({ whole }) => encoded("gzip", gzipSync(JSON.stringify(whole("Hi"))).subarray(0, -9)),
    ROWS.unreadable,
    "answered with a body that is cut",
  ],
];

const STREAMS: readonly Row[] = [
  [
    "an error as the first event",
    ({ errorEvent, overloaded }) => eventStream([errorEvent(overloaded, SECRET_WORDS)]),
    ROWS.overloaded,
    "is overloaded",
  ],
  [
    "an error as a part of JSON",
    (vendor) => eventStream([`data: ${JSON.stringify(errorOf(vendor))}`]),
    ROWS.overloaded,
    "is overloaded",
  ],
  ...["close", "reset", "whole"].map(
    (ending): Row => [
      `JSON that ends too early (${ending})`,
      ({ whole }) => ({
        headers: JSON_TYPE,
        pieces: [JSON.stringify(whole("Hi")).slice(0, -1)],
        ending: ending as "close" | "reset" | "whole",
      }),
      ROWS.interrupted,
      INTERRUPTED,
    ],
  ),
  ["no body", () => ({ headers: JSON_TYPE }), ROWS.interrupted, INTERRUPTED],
  [
    "JSON that is none",
    () => ({ headers: JSON_TYPE, pieces: [SECRET_WORDS] }),
    ROWS.unreadable,
    "answered with a body that is no JSON object",
  ],
];

/** What is told before its body has ended, and so closes its connection. */
const ENDLESS: readonly (readonly [what: string, isStream: boolean, answer: (vendor: Vendor) => Reply])[] = [
  ["a page", false, () => HTML],
  ["a page for a stream", true, () => HTML],
  ["an encoding that nobody knows", false, () => encoded("rot13", PAGE)],
  ["an encoding that nobody knows, for a stream", true, () => encoded("rot13", PAGE)],
  ["an event stream for one piece", false, ({ opening, said }) => eventStream([...opening, said("Hi")])],
  ["an error as the first event", true, ({ errorEvent, overloaded }) => eventStream([errorEvent(overloaded, "no")])],
  ["a redirect", false, () => ({ status: 302, headers: { location: "http://127.0.0.1:9/" } })],
];

describe.each(VENDORS)("$id", (vendor) => {
  const stage = useVendorStage();
  const calls = {
    whole: (name: (typeof DOORS)[number]) => stage.door(name).complete(ask(vendor)),
    stream: (name: (typeof DOORS)[number]) => collect(stage.door(name).stream(ask(vendor))),
  };
  const expectEach = async (kind: keyof typeof calls, [, answer, row, message]: Row): Promise<void> => {
    stage.answer(answer(vendor));
    for (const name of DOORS) {
      const told = { ...row, message: (message.includes("%") ? message : `% ${message}`).replace("%", vendor.id) };
      expectTold(stage.door(name), await failureOf(calls[kind](name)), vendor.id, told);
    }
  };

  it.each([...BOTH, ...WHOLE])("in one piece: %s", (...row) => expectEach("whole", row));
  it.each([...BOTH, ...STREAMS])("as a stream: %s", (...row) => expectEach("stream", row));

  it.each(ENDLESS)("is not listened to any longer: %s", async (_what, isStream, answer) => {
    stage.answer({ ...answer(vendor), ending: "hold" });
    for (const name of DOORS) {
      const next = stage.nextCall();
      await failureOf(calls[isStream ? "stream" : "whole"](name));
      expect(await (await next).closed).toBeGreaterThan(0);
    }
  });

  it("is understood in gzip, which nobody asked for, and in a type that says nothing", async () => {
    const whole = JSON.stringify(vendor.whole("Hi"));
    for (const reply of [encoded("gzip", gzipSync(whole)), { pieces: [whole] }]) {
      stage.answer(reply);
      for (const name of DOORS) {
        const { choices } = await calls.whole(name);
        expect(choices[0]?.message?.content).toMatchObject([{ kind: { value: "Hi" } }]);
      }
    }
    const events = [...vendor.opening, vendor.said("Hi"), ...vendor.ending];
    const packed = encoded("gzip", gzipSync(events.join("")), "text/event-stream");
    for (const reply of [packed, { headers: { "content-type": "text/plain" }, pieces: events }]) {
      stage.answer(reply);
      for (const name of DOORS) {
        const { choices } = fold(await calls.stream(name));
        expect(choices[0]?.message?.content).toMatchObject([{ kind: { value: "Hi" } }]);
      }
    }
    expect(stage.upstream().requests.at(-1)?.headers["accept-encoding"]).toBe("identity");
  });

  it("is understood in one piece of JSON where a stream was asked for", async () => {
    stage.answer(json(vendor.whole("Hi")));
    for (const name of DOORS) {
      const { choices } = fold(await calls.stream(name));
      expect(choices[0]?.message?.content).toMatchObject([{ kind: { value: "Hi" } }]);
    }
  });

  it("is given up where its answer in one piece does not end", async () => {
    stage.answer({
      headers: JSON_TYPE,
      pieces: (function* () {
        for (;;) yield " ".repeat(1024 * 1024);
      })(),
    });
    const next = stage.nextCall();
    const told = { ...ROWS.unreadable, message: `${vendor.id} answered with a body of more than 67108864 bytes` };
    expectTold(stage.door("grpc"), await failureOf(calls.whole("grpc")), vendor.id, told);
    expect(await (await next).closed).toBeGreaterThan(0);
  });
});
