/** Every way in which a vendor says when to call again, and how each door passes it on. */
import { describe, expect, it } from "vitest";
import { failureOf } from "../support/collect.ts";
import type { DoorError } from "../support/door-error.ts";
import { DOORS } from "../support/doors.ts";
import { expectTold, ROWS } from "../support/error-rows.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { json } from "../support/upstream.ts";
import { ask, useVendorStage } from "../support/vendor-stage.ts";

const [openai, anthropic, google] = VENDORS as readonly [Vendor, Vendor, Vendor];
const HOUR_MS = 3_600_000;

/** A hint at a vendor's rate limit, and the milliseconds that are told of it. */
interface Hint {
  readonly what: string;
  readonly vendors: readonly Vendor[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly message?: string;
  /** What the error has besides its message. */
  readonly more?: object;
  readonly retryMs: number | undefined;
}

const retryInfo = (retryDelay: string): object => ({
  details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay }],
});

const HINTS: readonly Hint[] = [
  { what: "nothing", vendors: VENDORS, retryMs: undefined },
  { what: "retry-after-ms", vendors: VENDORS, headers: { "retry-after-ms": "1234.5" }, retryMs: 1235 },
  { what: "retry-after", vendors: VENDORS, headers: { "retry-after": "7" }, retryMs: 7_000 },
  { what: "retry-after with a fraction", vendors: VENDORS, headers: { "retry-after": "0.25" }, retryMs: 250 },
  {
    what: "retry-after-ms before retry-after",
    vendors: VENDORS,
    headers: { "retry-after": "7", "retry-after-ms": "1" },
    retryMs: 1,
  },
  { what: "retry-after in the past", vendors: VENDORS, headers: { "retry-after": "-5" }, retryMs: 0 },
  { what: "retry-after of a day", vendors: VENDORS, headers: { "retry-after": "86400" }, retryMs: HOUR_MS },
  {
    what: "retry-after as a date that is over",
    vendors: VENDORS,
    headers: { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" },
    retryMs: 0,
  },
  {
    what: "the reset of an exhausted limit",
    vendors: [openai],
    headers: {
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "6m0s",
      "x-ratelimit-remaining-tokens": "9",
      "x-ratelimit-reset-tokens": "8.64s",
    },
    retryMs: 360_000,
  },
  {
    what: "the reset of a limit in milliseconds",
    vendors: [openai],
    headers: { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "12ms" },
    retryMs: 12,
  },
  {
    what: "the reset of a limit that is not exhausted",
    vendors: [openai],
    headers: { "x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "12ms" },
    retryMs: undefined,
  },
  {
    what: "Anthropic's reset that is over",
    vendors: [anthropic],
    headers: {
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": "2020-01-01T00:00:00Z",
    },
    retryMs: 0,
  },
  {
    what: "Anthropic's reset far away",
    vendors: [anthropic],
    headers: {
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-ratelimit-input-tokens-reset": "2999-01-01T00:00:00Z",
    },
    retryMs: HOUR_MS,
  },
  { what: "RetryInfo", vendors: [google], more: retryInfo("34.4s"), retryMs: 34_400 },
  { what: "RetryInfo of two days", vendors: [google], more: retryInfo("172800s"), retryMs: HOUR_MS },
  {
    what: "RetryInfo before its words",
    vendors: [google],
    more: retryInfo("34s"),
    message: "Please retry in 48.9s.",
    retryMs: 34_000,
  },
  { what: "words", vendors: VENDORS, message: "Slow down. Please retry in 48.9s.", retryMs: 48_900 },
  { what: "words for seconds", vendors: VENDORS, message: "Please try again in 1.5s.", retryMs: 1_500 },
];

const WORDS = { openai: "rate_limit_exceeded", anthropic: "rate_limit_error", google: "RESOURCE_EXHAUSTED" };
const limited = ({ id, error }: Vendor, { message = "Slow down.", more = {}, headers = {} }: Partial<Hint>) => {
  const reply = json(error(WORDS[id], message, more), 429);
  return { ...reply, headers: { ...reply.headers, ...headers } };
};
const told = ({ id }: Vendor) => ({
  ...ROWS.limited,
  message: `${id} takes no more calls now: a rate limit is reached`,
});

describe.each(HINTS)("a rate limit that says $what", ({ vendors, retryMs, ...hint }) => {
  const stage = useVendorStage();

  it.each(vendors)("of $id", async (vendor) => {
    stage.answer(limited(vendor, hint));
    for (const door of DOORS.map((name) => stage.door(name))) {
      const error = await failureOf(door.complete(ask(vendor)));
      expectTold(door, error, vendor.id, { ...told(vendor), retryMs });
    }
  });
});

describe("a delay", () => {
  const stage = useVendorStage();
  const delayOf = async (vendor: Vendor, headers: Readonly<Record<string, string>>): Promise<number[]> => {
    stage.answer(limited(vendor, { headers }));
    const doors = DOORS.map((name) => stage.door(name));
    const errors = await Promise.all(doors.map((door) => failureOf(door.complete(ask(vendor)))));
    return errors.map((error) => (error as DoorError).retryAfterMs ?? -1);
  };

  it.each(VENDORS)("of $id that is a date is counted from now on", async (vendor) => {
    const delays = await delayOf(vendor, { "retry-after": new Date(Date.now() + 600_000).toUTCString() });
    for (const delay of delays) expect(Math.abs(delay - 570_000)).toBeLessThan(30_001);
  });

  it("of Anthropic is until the first of the exhausted limits is there again", async () => {
    const at = (ms: number): string => new Date(Date.now() + ms).toISOString();
    const delays = await delayOf(anthropic, {
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": at(600_000),
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-ratelimit-input-tokens-reset": at(1_200_000),
      "anthropic-ratelimit-output-tokens-remaining": "7",
      "anthropic-ratelimit-output-tokens-reset": at(1_000),
    });
    for (const delay of delays) expect(Math.abs(delay - 570_000)).toBeLessThan(30_001);
  });

  it.each(VENDORS)("of $id is told with an overload, too", async (vendor) => {
    const reply = json(vendor.error(vendor.overloaded, "Overloaded"), 503);
    stage.answer({ ...reply, headers: { ...reply.headers, "retry-after": "3" } });
    for (const door of DOORS.map((name) => stage.door(name))) {
      const error = await failureOf(door.complete(ask(vendor)));
      const expected = { ...ROWS.overloaded, message: `${vendor.id} is overloaded`, retryMs: 3_000 };
      expectTold(door, error, vendor.id, expected);
    }
  });

  it.each([
    ["true", null],
    ["false", "false"],
  ] as const)("goes with Anthropic's x-should-retry: %s", async (given, shouldRetry) => {
    const reply = json(anthropic.error("overloaded_error", "Overloaded"), 529);
    stage.answer({ ...reply, headers: { ...reply.headers, "x-should-retry": given } });
    for (const door of DOORS.map((name) => stage.door(name))) {
      const error = await failureOf(door.complete(ask(anthropic)));
      expectTold(door, error, "anthropic", { ...ROWS.overloaded, message: "anthropic is overloaded", shouldRetry });
    }
  });
});
