import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../src/providers/sandbox/random.ts";
import type { Vendor } from "../support/stage-vendors.ts";
import { eventStream, json, type Reply } from "../support/upstream.ts";

/** What a failing upstream can lead to: names of `parley.errors.v1.Reason`, without the prefix. */
const SILENCE = ["DEADLINE_EXCEEDED"];
const LIMIT = ["RATE_LIMIT_EXCEEDED"];
const OVERLOAD = ["OVERLOADED"];
const BROKEN = ["UPSTREAM_UNREACHABLE"];
/** A stream that is cut is interrupted, and an answer in one piece that is cut can't be read. */
const CUT = ["UPSTREAM_STREAM_INTERRUPTED", "UPSTREAM_INVALID_RESPONSE"];

/**
 * All that upstreams do, with the reasons that a call may fail with because of it; none for those that answer. One that is slow is
 * in time for some calls and too late for others.
 */
export const DEEDS = {
  answer: [],
  slow_start: SILENCE,
  slow_stream: SILENCE,
  rate_limit: LIMIT,
  rate_limit_with_retry_after: LIMIT,
  error_400: ["INVALID_REQUEST"],
  error_401: ["UPSTREAM_AUTHENTICATION_FAILED"],
  error_500: ["UPSTREAM_ERROR"],
  error_503: OVERLOAD,
  error_529: OVERLOAD,
  reset_before_head: BROKEN,
  reset_midway: CUT,
  stall_before_head: SILENCE,
  stall_midway: SILENCE,
  error_in_success: OVERLOAD,
  error_event_first: OVERLOAD,
  error_after_role: OVERLOAD,
  error_midway: OVERLOAD,
  cut: CUT,
  html: ["UPSTREAM_INVALID_RESPONSE"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Name of what an upstream does with a request. */
export type Deed = keyof typeof DEEDS;

/** How often each is done, by shares, by an upstream that is well. */
const SHARES: Readonly<Partial<Record<Deed, number>>> = {
  answer: 70,
  slow_start: 3,
  slow_stream: 3,
  rate_limit: 2,
  rate_limit_with_retry_after: 2,
  error_400: 0.5,
  error_500: 2,
  error_503: 2,
  error_529: 1.5,
  reset_before_head: 2,
  reset_midway: 1.5,
  stall_before_head: 1.5,
  stall_midway: 1,
  error_in_success: 1.5,
  error_event_first: 1.5,
  error_after_role: 1.5,
  error_midway: 1,
  cut: 1.5,
  html: 1,
};

/** Draws one of these. */
export function drawDeed(random: Random): Deed {
  const shares = Object.entries(SHARES) as [Deed, number][];
  let at = random.next() * shares.reduce((sum, [, share]) => sum + share, 0);
  for (const [deed, share] of shares) {
    at -= share;
    if (at < 0) return deed;
  }
  return "answer";
}

/** What an answer is made of. */
export interface Play {
  readonly vendor: Vendor;
  readonly streaming: boolean;
  /** The answer's text, piece by piece. */
  readonly pieces: readonly string[];
  readonly random: Random;
}

/** What an upstream says to do that. */
export async function replyFor(deed: Deed, play: Play): Promise<Reply> {
  const { vendor, random } = play;
  const failure = (status: number, word: string, headers: Record<string, string> = {}): Reply => {
    const reply = json(vendor.error(word, "The upstream failed."), status);
    return { ...reply, headers: { ...reply.headers, ...headers } };
  };
  switch (deed) {
    case "answer":
    case "slow_stream":
      return spoken(play, "all", "whole", deed === "slow_stream" ? 400 : 25);
    case "slow_start":
      await sleep(500 + random.int(1_200));
      return spoken(play, "all", "whole", 25);
    case "rate_limit":
      return failure(429, WORDS[vendor.id].limit);
    case "rate_limit_with_retry_after":
      return failure(429, WORDS[vendor.id].limit, { "retry-after": random.pick(["1", "1", "2", "20"]) });
    case "error_400":
      return failure(400, WORDS[vendor.id].invalid);
    case "error_401":
      return failure(401, WORDS[vendor.id].key);
    case "error_500":
      return failure(500, WORDS[vendor.id].fault);
    case "error_503":
      return failure(503, vendor.overloaded);
    case "error_529":
      return failure(529, vendor.overloaded);
    case "reset_before_head":
      return { status: "none", ending: "reset" };
    case "stall_before_head":
      return { status: "none", ending: "hold" };
    case "reset_midway":
      return spoken(play, "half", "reset", 25);
    case "stall_midway":
      return spoken(play, "half", "hold", 25);
    case "cut":
      return spoken(play, "half", "whole", 25);
    case "error_in_success":
      return failure(200, vendor.overloaded);
    case "error_event_first":
      return failing(play, []);
    case "error_after_role":
      return failing(play, vendor.opening);
    case "error_midway":
      return failing(play, [...vendor.opening, ...firstHalf(play.pieces).map((piece) => vendor.said(piece))]);
    case "html":
      return { headers: { "content-type": "text/html" }, pieces: ["<html><body>Welcome</body></html>"] };
    default:
      return deed satisfies never;
  }
}

/** The vendors' own words for errors. */
const WORDS: Readonly<Record<Vendor["id"], { limit: string; invalid: string; key: string; fault: string }>> = {
  openai: {
    limit: "rate_limit_exceeded",
    invalid: "invalid_request_error",
    key: "invalid_api_key",
    fault: "server_error",
  },
  anthropic: {
    limit: "rate_limit_error",
    invalid: "invalid_request_error",
    key: "authentication_error",
    fault: "api_error",
  },
  google: { limit: "RESOURCE_EXHAUSTED", invalid: "INVALID_ARGUMENT", key: "UNAUTHENTICATED", fault: "INTERNAL" },
};

const firstHalf = <T>(items: readonly T[]): readonly T[] => items.slice(0, Math.ceil(items.length / 2));

/** The answer, or the first half of it, with pauses of up to so many milliseconds between its pieces. */
function spoken(
  { vendor, streaming, pieces, random }: Play,
  share: "all" | "half",
  ending: NonNullable<Reply["ending"]>,
  pauseMs: number,
): Reply {
  async function* paced(parts: readonly string[]): AsyncGenerator<string> {
    for (const part of parts) {
      await sleep(random.int(pauseMs));
      yield part;
    }
  }
  if (streaming) {
    const said = (share === "all" ? pieces : firstHalf(pieces)).map((piece) => vendor.said(piece));
    return eventStream(paced([...vendor.opening, ...said, ...(share === "all" ? vendor.ending : [])]), ending);
  }
  const text = JSON.stringify(vendor.whole(pieces.join("")));
  const body = [text.slice(0, text.length / 2), ...(share === "all" ? [text.slice(text.length / 2)] : [])];
  return { headers: { "content-type": "application/json" }, pieces: paced(body), ending };
}

/** These events and then an error; of an answer in one piece the error alone. */
function failing({ vendor, streaming }: Play, before: readonly string[]): Reply {
  const message = "The upstream failed.";
  return streaming
    ? eventStream([...before, vendor.errorEvent(vendor.overloaded, message)])
    : json(vendor.error(vendor.overloaded, message));
}
