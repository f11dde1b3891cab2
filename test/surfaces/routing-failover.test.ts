/** A first target that fails before its first output: the caller sees one clean answer of the second, and nothing of the first. */
import { describe, expect, it } from "vitest";
import { Attempt_Outcome } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { until } from "../support/collect.ts";
import { DOORS } from "../support/doors.ts";
import { callOn, type Outcome } from "../support/routed-call.ts";
import {
  answerOf,
  asking,
  isStreamed,
  type RoutingStage,
  type Script,
  useRoutingStage,
} from "../support/routing-stage.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { eventStream, json, type Reply } from "../support/upstream.ts";
import { SECRET_WORDS } from "../support/vendor-stage.ts";

const [openai, anthropic, google] = VENDORS as readonly [Vendor, Vendor, Vendor];
const PLAYERS = VENDORS.map((vendor) => ({ vendor }));

/** How long a target may be silent here. */
const PATIENCE_MS = 300;

/** A way to fail before the first output. */
interface Failing {
  readonly what: string;
  /** Name of the attempt's reason, in lower case; of a stream's, where it is another one. */
  readonly reason: string;
  readonly streamReason?: string;
  /** Whether the same target is asked once more, at once. */
  readonly again?: boolean;
  readonly whole: (vendor: Vendor) => Reply;
  readonly streamed: (vendor: Vendor) => Reply;
  readonly vendors?: readonly Vendor[];
}

const both = (reply: (vendor: Vendor) => Reply): Pick<Failing, "whole" | "streamed"> => ({
  whole: reply,
  streamed: reply,
});

/** The first half of a whole answer, and then a reset. */
const half = (vendor: Vendor, ending: NonNullable<Reply["ending"]>): Reply => {
  const text = JSON.stringify(vendor.whole(SECRET_WORDS));
  return { headers: { "content-type": "application/json" }, pieces: [text.slice(0, text.length >> 1)], ending };
};

const WORDS: Readonly<Record<Vendor["id"], Readonly<Record<number, string>>>> = {
  openai: { 429: "rate_limit_exceeded", 500: "server_error", 503: "overloaded" },
  anthropic: { 429: "rate_limit_error", 500: "api_error", 503: "overloaded_error" },
  google: { 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE" },
};
const status = (code: number) => (vendor: Vendor) =>
  json(vendor.error(WORDS[vendor.id][code] ?? "overloaded_error", SECRET_WORDS), code);

const HTML: Reply = { headers: { "content-type": "text/html" }, pieces: [`<html>${SECRET_WORDS}</html>`] };
/** Where a vendor's stream says first who speaks. */
const speaks = [openai, anthropic];

const FAILINGS: readonly Failing[] = [
  {
    what: "a reset",
    reason: "upstream_unreachable",
    again: true,
    ...both(() => ({ status: "none", ending: "reset" })),
  },
  {
    what: "a reset after the head",
    reason: "upstream_invalid_response",
    streamReason: "upstream_stream_interrupted",
    whole: () => ({ headers: { "content-type": "application/json" }, ending: "reset" }),
    streamed: () => eventStream([], "reset"),
  },
  {
    what: "a reset in the body",
    reason: "upstream_invalid_response",
    streamReason: "upstream_stream_interrupted",
    whole: (vendor) => half(vendor, "reset"),
    streamed: (vendor) => eventStream([vendor.ping, ...vendor.opening], "reset"),
  },
  {
    what: "a stream of signs of life, cut",
    reason: "upstream_invalid_response",
    streamReason: "upstream_stream_interrupted",
    whole: (vendor) => half(vendor, "close"),
    streamed: (vendor) => eventStream([vendor.ping, ": comment\n\n", ...vendor.opening, vendor.ping], "close"),
  },
  { what: "silence", reason: "deadline_exceeded", ...both(() => ({ status: "none", ending: "hold" })) },
  {
    what: "silence after the head",
    reason: "deadline_exceeded",
    whole: () => ({ headers: { "content-type": "application/json" }, ending: "hold" }),
    streamed: (vendor) => eventStream([vendor.ping, ...vendor.opening, vendor.ping], "hold"),
  },
  { what: "a rate limit", reason: "rate_limit_exceeded", ...both(status(429)) },
  { what: "HTTP 500", reason: "upstream_error", ...both(status(500)) },
  { what: "HTTP 503", reason: "overloaded", ...both(status(503)) },
  { what: "HTTP 529", reason: "overloaded", vendors: [anthropic], ...both(status(529)) },
  {
    what: "an error with HTTP 200",
    reason: "upstream_invalid_response",
    vendors: [openai],
    ...both(() => json({ error: { code: 502, message: SECRET_WORDS } })),
  },
  { what: "a page with HTTP 200", reason: "upstream_invalid_response", ...both(() => HTML) },
  {
    what: "an error as the first event",
    reason: "overloaded",
    whole: status(503),
    streamed: (vendor) => eventStream([vendor.errorEvent(vendor.overloaded, SECRET_WORDS)]),
  },
  {
    what: "an error after the role",
    reason: "overloaded",
    vendors: speaks,
    whole: status(503),
    streamed: (vendor) => eventStream([...vendor.opening, vendor.errorEvent(vendor.overloaded, SECRET_WORDS)]),
  },
  {
    what: "an empty answer",
    reason: "upstream_invalid_response",
    streamReason: "upstream_stream_interrupted",
    whole: () => ({ headers: { "content-type": "application/json" } }),
    streamed: () => ({ headers: { "content-type": "application/json" } }),
  },
  {
    what: "an empty stream",
    reason: "upstream_invalid_response",
    streamReason: "upstream_stream_interrupted",
    whole: (vendor) => half(vendor, "reset"),
    streamed: () => eventStream([]),
  },
];

const ROWS = FAILINGS.flatMap((failing) =>
  (failing.vendors ?? VENDORS).flatMap((first) =>
    [false, true].map((streaming) => ({ ...failing, first, streaming, mode: streaming ? "a stream" : "a whole call" })),
  ),
);

const failingAs =
  ({ whole, streamed }: Pick<Failing, "whole" | "streamed">, vendor: Vendor): Script =>
  (request) =>
    isStreamed(request) ? streamed(vendor) : whole(vendor);

const secondOf = (first: Vendor): Vendor => (first === anthropic ? google : anthropic);

describe("the next target answers", () => {
  const stage = useRoutingStage(PLAYERS, { timeouts: { firstChunkMs: PATIENCE_MS, attemptMs: PATIENCE_MS } });

  it.each(ROWS)("$mode, after $what of $first.id", async ({ first, streaming, again = false, ...failing }) => {
    const reason = (streaming ? failing.streamReason : undefined) ?? failing.reason;
    const second = secondOf(first);
    stage().provider(second.id).plays();
    stage().provider(first.id).plays(failingAs(failing, first));
    const model = stage().newModel();
    await Promise.all(
      stage().doors.map(async (door) => {
        const [firstName, secondName] = [`${first.id}/${model}-${door.name}`, `${second.id}/${model}-${door.name}`];
        const outcome = await callOn(door, asking(firstName), { streaming, options: { fallbackModels: [secondName] } });
        const failures = new Array(again ? 2 : 1).fill(`${firstName}=${reason}`);
        expectAnswer(outcome, second, secondName);
        expect(outcome.tried).toEqual([...failures, `${secondName}=succeeded`]);
        if (door.name === "rest") expect(outcome.headers?.get("x-parley-attempts")).toMatch(/;ms=\d+, /);
        else expectReport(outcome, again);
        await expectLine(stage(), secondName, [...failures, `${secondName}=succeeded`]);
      }),
    );
  });
});

function expectAnswer({ completion, text, error }: Outcome, { id }: Vendor, name: string): void {
  expect(error).toBeUndefined();
  expect(text).toBe(answerOf(id));
  expect(completion?.model).toBe(name);
  expect(JSON.stringify(completion?.choices)).not.toContain(SECRET_WORDS);
}

function expectReport({ report, moves }: Outcome, again: boolean): void {
  expect(moves).toEqual([...(again ? ["RETRY"] : []), "NEXT_TARGET", "UNSPECIFIED"]);
  const attempts = report?.attempts ?? [];
  const [last] = attempts.slice(-1);
  expect(last?.outcome).toBe(Attempt_Outcome.SUCCEEDED);
  expect(last?.timeToHeaders).toBeDefined();
  expect(last?.timeToFirstChunk).toBeDefined();
  for (const { startTime, duration, outcome, message } of attempts) {
    expect([startTime, duration].every((time) => time !== undefined)).toBe(true);
    expect(message !== "").toBe(outcome === Attempt_Outcome.FAILED);
    expect(message).not.toContain(SECRET_WORDS);
  }
  expect(report?.provider).toBe(last?.target.split("/")[0]);
}

/** The line of the call in the log names the attempts, too. */
async function expectLine({ gateway }: RoutingStage, target: string, tried: readonly string[]): Promise<void> {
  const line = () => gateway.lines.find((it) => it["target"] === target);
  await until(() => line() !== undefined, `a line of ${target}`);
  const logged = (line()?.["attempts"] as string[]).map((it) => it.replace(/;ms=\d+$/, ""));
  expect(logged).toEqual(tried);
}

describe("after the first output", () => {
  const stage = useRoutingStage(PLAYERS, { timeouts: { idleMs: PATIENCE_MS } });
  const begun = ({ opening, said }: Vendor): string[] => [...opening, said("the first word")];

  it.each(
    VENDORS.flatMap((vendor) =>
      (
        [
          ["a reset", "UPSTREAM_STREAM_INTERRUPTED", eventStream(begun(vendor), "reset")],
          ["a cut", "UPSTREAM_STREAM_INTERRUPTED", eventStream(begun(vendor), "close")],
          ["an end without a finish", "UPSTREAM_STREAM_INTERRUPTED", eventStream(begun(vendor))],
          [
            "an error",
            "OVERLOADED",
            eventStream([...begun(vendor), vendor.errorEvent(vendor.overloaded, SECRET_WORDS)]),
          ],
          ["silence", "DEADLINE_EXCEEDED", eventStream(begun(vendor), "hold")],
        ] as const
      ).map(([what, reason, reply]) => ({ vendor, what, reason, reply })),
    ),
  )("$what of $vendor.id is an error, and nobody else is asked", async ({ vendor, reason, reply }) => {
    const second = stage().provider(secondOf(vendor).id);
    stage()
      .provider(vendor.id)
      .plays(() => reply);
    const [model, before] = [stage().newModel(), second.calls.length];
    await Promise.all(
      DOORS.map(async (name) => {
        const target = `${vendor.id}/${model}-${name}`;
        const options = { fallbackModels: [`${second.id}/${model}-${name}`] };
        const { text, error, tried, moves } = await callOn(stage().door(name), asking(target), {
          streaming: true,
          options,
        });
        expect(text).toBe("the first word");
        expect(error).toBeDefined();
        if (name !== "rest") {
          expect(error?.details?.reason).toBe(`parley: ${reason}`);
          expect(tried).toEqual([`${target}=${reason.toLowerCase()}`]);
          expect(moves).toEqual(["GIVE_UP"]);
        }
      }),
    );
    expect(second.calls.length).toBe(before);
  });
});

describe("a stream that breaks its grammar before the first output", () => {
  const stage = useRoutingStage(PLAYERS);

  it.each(DOORS)("%s: is left, and its connection is closed", async (name) => {
    const first = stage().provider("openai");
    stage().provider("anthropic").plays();
    const choice = { index: 3, delta: { role: "assistant" }, finish_reason: null };
    first.plays(() => eventStream([`data: ${JSON.stringify({ id: "1", choices: [choice] })}\n\n`], "hold"));
    const [model, before] = [stage().newModel(), first.calls.length];
    const options = { fallbackModels: [`anthropic/${model}`] };
    const { text, tried } = await callOn(stage().door(name), asking(`openai/${model}`), { streaming: true, options });
    expect(text).toBe(answerOf("anthropic"));
    expect(tried).toEqual([`openai/${model}=upstream_invalid_response`, `anthropic/${model}=succeeded`]);
    await (await first.call(before)).closed;
  });
});
