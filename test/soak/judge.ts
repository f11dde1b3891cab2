import { CATALOGUE } from "../../src/errors/catalogue.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { DoorError } from "../support/door-error.ts";
import { ACTORS } from "./actors.ts";
import type { CallOutcome } from "./calls.ts";
import { type Config, TOTAL_MS, targetsOf } from "./configs.ts";
import { DEEDS } from "./deeds.ts";
import type { Ledger, UpstreamRecord } from "./ledger.ts";
import type { TargetWatch } from "./target-watch.ts";

/** A configuration, and from when to when it may have been in force. Times are those of `performance.now()`. */
export interface Reign {
  readonly config: Config;
  readonly from: number;
  to: number;
}

/** What calls are judged by. */
export interface Evidence {
  readonly ledger: Ledger;
  readonly targets: TargetWatch;
  readonly reigns: readonly Reign[];
  /** The reason that the gateway's log gives for a call; undefined: it gives none. */
  loggedReason(call: number): string | undefined;
  /** How late this process and the gateway's were within that time, in milliseconds. */
  lagWithin(from: number, to: number): number;
}

/** How a call came out, in one word, and what of it nothing explains. */
export interface Verdict {
  /** "answered", "cancelled", or the name of a reason. */
  readonly outcome: string;
  readonly unexplained: string | undefined;
}

/** Time for what follows from the end of a call, or from a deadline, to be seen here. */
const SLACK_MS = 1_000;
/** A breaker that is open is seen so often. */
export const WATCH_MS = 500;

/** Judges a call, when it and all that its end leads to is over. */
export function judge(outcome: CallOutcome, evidence: Evidence): Verdict {
  const word = outcomeOf(outcome, evidence);
  return { outcome: word, unexplained: tooLate(outcome, evidence) ?? why(outcome, word, evidence) };
}

function outcomeOf({ thrown, cancelledAt, plan }: CallOutcome, { loggedReason }: Evidence): string {
  if (thrown === undefined) return "answered";
  if (isOfClient(thrown, cancelledAt)) return "cancelled";
  if (!(thrown instanceof DoorError)) return "untyped";
  return reasonOf(thrown) ?? loggedReason(plan.number) ?? "unknown";
}

/** What the client itself throws after it went away is no answer of the gateway's. */
function isOfClient(thrown: unknown, cancelledAt: number | undefined): boolean {
  if (cancelledAt === undefined) return false;
  if (thrown instanceof DoorError) return thrown.details?.reason === "undefined: undefined";
  return thrown instanceof Error && thrown.name === "AbortError";
}

/** The name of its reason; undefined where the door's own words don't tell it from others. */
function reasonOf({ details, code, status }: DoorError): string | undefined {
  if (details !== undefined) return /^parley: ([A-Z_]+)$/.exec(details.reason)?.[1];
  const rows = Object.entries(CATALOGUE).filter(([, row]) => row.code === code && code !== null);
  const [found] = rows.filter(([, row]) => status === undefined || row.httpStatus === status);
  return found === undefined ? undefined : Reason[Number(found[0])];
}

/** A call ends by its deadline; and when it has ended, for whatever reason, nothing of it goes on at an upstream. */
function tooLate({ plan, startedAt, endedAt }: CallOutcome, evidence: Evidence): string | undefined {
  const { ledger } = evidence;
  const slackMs = SLACK_MS + evidence.lagWithin(startedAt, endedAt + SLACK_MS);
  const overdueMs = endedAt - startedAt - (plan.deadlineMs ?? TOTAL_MS);
  if (overdueMs > slackMs) return `outlived its deadline by ${Math.round(overdueMs)} ms`;
  for (const record of ledger.of(plan.number)) {
    if (record.endedAt === undefined) return `its request to ${record.target} (${record.deed}) never ended`;
    const goneOnMs = record.endedAt - endedAt;
    if (goneOnMs > slackMs) {
      return `its request to ${record.target} (${record.deed}) went on for ${Math.round(goneOnMs)} ms after its end`;
    }
  }
  return undefined;
}

function why(outcome: CallOutcome, word: string, evidence: Evidence): string | undefined {
  const { plan, text, finishes, thrown } = outcome;
  const records = evidence.ledger.of(plan.number);
  if (word === "answered") {
    if (finishes !== 1) return `an answer with ${finishes} ends`;
    // The text is that of one upstream's answer to this very call: no piece is missing, doubled or another's.
    const from = records.find((record) => record.text === text);
    if (from === undefined) return `an answer that nobody gave: ${text.slice(0, 200)}`;
    return from.deed in ANSWERING ? undefined : `an answer of an upstream that did not give one: ${from.deed}`;
  }
  // What came before an error is the beginning of one upstream's answer.
  if (text !== "" && !records.some((record) => record.text.startsWith(text))) {
    return `before its ${word}, pieces of no one answer: ${text.slice(0, 200)}`;
  }
  if (word === "cancelled") return undefined;
  if (word === "untyped") return `no typed error: ${String(thrown)}`;
  if (finishes !== 0) return `both an end and ${word}`;
  const isExplained = EXPLANATIONS[word] ?? explainedByDeed;
  if (!isExplained(outcome, word, evidence)) return `${word} without a cause`;
  if (text !== "" || word === "MODEL_NOT_FOUND" || word === "CANCELLED") return undefined;
  return leftOut(outcome, evidence);
}

const ANSWERING: Readonly<Partial<Record<UpstreamRecord["deed"], true>>> = {
  answer: true,
  slow_start: true,
  slow_stream: true,
};

type Explanation = (outcome: CallOutcome, word: string, evidence: Evidence) => boolean;

/** What explains reasons that can come from the gateway itself. */
const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  // Its deadline passed, or an upstream was silent for too long: a healthy one may be, too, for its share of a short deadline, or on
  // a machine that has other work.
  DEADLINE_EXCEEDED: (outcome, word, evidence) =>
    hasExpired(outcome) || explainedByDeed(outcome, word, evidence) || wasLeftSilent(outcome, evidence),
  // There was a configuration that one of its names stood for nothing in.
  MODEL_NOT_FOUND: ({ plan, ...times }, _, evidence) =>
    configsOf(times, evidence).some((config) =>
      [plan.model, ...plan.fallbacks].some((name) => targetsOf(config, name) === undefined),
    ),
  // The client wanted a parameter to be honoured that only Google's models take.
  UNSUPPORTED_PARAMETER: ({ plan }) => plan.strict && plan.hasTopK,
  // Nobody took calls: each target had no place, or an open breaker, or refused the call. Who was asked nevertheless has left the call
  // with a reason of its own.
  NO_AVAILABLE_UPSTREAM: (outcome, _, evidence) =>
    evidence.ledger.of(outcome.plan.number).length === 0 && leftOut(outcome, evidence) === undefined,
  // The client went away, and the answer of the gateway to that came through.
  CANCELLED: ({ cancelledAt }) => cancelledAt !== undefined,
};

/** An upstream that was asked did what leads to this reason. */
function explainedByDeed({ plan }: CallOutcome, word: string, { ledger }: Evidence): boolean {
  return ledger.of(plan.number).some(({ deed }) => (DEEDS[deed] as readonly string[]).includes(word));
}

/**
 * Whether the call left an upstream that had not come to its text, or came to it just then; or, with a share of a short deadline, one whose
 * reply was on its way, or whose request was.
 */
function wasLeftSilent({ plan, startedAt, endedAt }: CallOutcome, { ledger, lagWithin }: Evidence): boolean {
  const records = ledger.of(plan.number);
  const lagMs = lagWithin(startedAt, endedAt);
  const { deadlineMs } = plan;
  if (records.length === 0) return deadlineMs !== undefined && endedAt - startedAt + lagMs >= deadlineMs;
  return records.some(({ deed, wasLeft, saidAt = Number.POSITIVE_INFINITY, endedAt: overAt = 0 }) => {
    if (deadlineMs !== undefined && overAt + lagMs > endedAt) return true;
    return (wasLeft || deed in ANSWERING) && saidAt + lagMs > overAt;
  });
}

/** Timers may be early by a millisecond, and the deadline goes out as a header in whole ones. */
const hasExpired = ({ plan, startedAt, endedAt }: CallOutcome): boolean =>
  endedAt - startedAt >= (plan.deadlineMs ?? TOTAL_MS) - 5;

/**
 * A call that got nothing has asked each of its targets, unless there was no time left, or a target had no place, an open breaker, or
 * was bound to refuse the call. Says which one was left out, where none of it holds for any configuration that may have been in force.
 */
function leftOut(outcome: CallOutcome, evidence: Evidence): string | undefined {
  const { plan, startedAt, endedAt } = outcome;
  const records = evidence.ledger.of(plan.number);
  // Who refuses the request itself ends the call.
  if (hasExpired(outcome) || records.some(({ deed }) => deed === "error_400")) return undefined;
  const asked = new Set(records.map(({ target }) => target));
  const lagMs = evidence.lagWithin(startedAt - SLACK_MS, endedAt + SLACK_MS);
  const from = startedAt - SLACK_MS - lagMs;
  const to = endedAt + SLACK_MS + lagMs;
  const isExcused = (target: string): boolean => {
    const actor = ACTORS.find(({ id }) => target.startsWith(`${id}/`));
    if (asked.has(target) || actor === undefined) return true;
    if (plan.strict && plan.hasTopK && actor.family !== "google") return true;
    if (evidence.targets.wasOpen(target, from, to)) return true;
    const { ledger, targets } = evidence;
    const most = Math.max(ledger.mostAtOnce(target, from, to, lagMs), targets.mostInFlight(target, from, to));
    return most >= actor.maxInFlight;
  };
  let missed: string | undefined;
  for (const config of configsOf(outcome, evidence)) {
    const targets = [plan.model, ...plan.fallbacks].flatMap((name) => targetsOf(config, name) ?? []);
    const left = targets.find((target) => !isExcused(target));
    if (left === undefined) return undefined;
    missed = `${left} was not asked`;
  }
  return missed;
}

/** The configurations that may have been in force when the call came. */
function configsOf({ startedAt }: Pick<CallOutcome, "startedAt">, evidence: Evidence): readonly Config[] {
  const lagMs = evidence.lagWithin(startedAt - SLACK_MS, startedAt + SLACK_MS);
  const { reigns } = evidence;
  return reigns
    .filter(({ from, to }) => from <= startedAt + lagMs && startedAt - lagMs <= to)
    .map(({ config }) => config);
}
