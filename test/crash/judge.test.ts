import { describe, expect, it } from "vitest";
import { judge, type Remains } from "./judge.ts";
import {
  createLedger,
  type Json,
  type Ledger,
  type MadeKey,
  type RunJson,
  type SeenEvent,
  type WantedRun,
} from "./ledger.ts";

const UID = "run_1";
const TEXT = "one two";
const same = { id: "chatcmpl-1", created: 7, model: "sandbox/echo" };
const usage = { total_tokens: 4 };
const piece = (content: string, end: string | null = null): Json => ({
  ...same,
  choices: [{ index: 0, delta: { content }, finish_reason: end }],
  usage: null,
});
const response = { ...same, choices: [{ index: 0, message: { content: TEXT }, finish_reason: "stop" }], usage };

/** The run, as it completed after an attempt whose worker was lost. */
const completed: RunJson = { uid: UID, status: "completed", attempts: 2, last_sequence: 6, response, error: null };
const running: RunJson = { uid: UID, status: "running", attempts: 1 };
const failed: RunJson = { ...completed, status: "failed", response: null, error: { code: "worker_lost" } };
const cancelled: RunJson = { ...completed, status: "cancelled", response: null };

/** Its events, with other ones in the places of some. */
const events = (other: Readonly<Record<number, Partial<SeenEvent>>> = {}, end = completed): SeenEvent[] => {
  const all: (readonly [SeenEvent["kind"], Json])[] = [
    ["chunk", { ...piece("one"), id: "chatcmpl-0" }],
    ["restart", { attempt: 2 }],
    ["chunk", piece("one ")],
    ["chunk", piece("two", "stop")],
    ["chunk", { ...same, choices: [], usage }],
    ["run", end],
  ];
  return all.map(([kind, json], at) => ({ sequence: at + 1, kind, json: JSON.stringify(json), ...other[at + 1] }));
};

const json = (value: Json): Partial<SeenEvent> => ({ json: JSON.stringify(value) });

interface History {
  readonly wanted?: Partial<WantedRun>;
  readonly sightings?: readonly RunJson[];
  readonly watch?: readonly SeenEvent[];
  readonly isEnded?: boolean;
  readonly isWatched?: boolean;
  readonly listed?: readonly RunJson[];
  readonly key?: Partial<MadeKey>;
  /** When a key was used, and how that was answered. */
  readonly uses?: readonly (readonly [number, number])[];
  readonly rows?: readonly Json[];
  readonly rowIds?: readonly string[];
}

/** What is found in a history in which all is well, but for the change. Sightings follow each other, each second one. */
function faultsOf(change: History): readonly string[] {
  const ledger: Ledger = createLedger();
  const requestId = "request 1";
  ledger.runs.push({
    requestId,
    owner: "amy",
    model: "sandbox/echo",
    text: TEXT,
    uids: new Set([UID]),
    isCancelSent: false,
    cancelled: undefined,
    ...change.wanted,
  });
  const sightings = change.sightings ?? [running, completed, completed];
  ledger.sightings.push(...sightings.map((run, at) => ({ from: at * 1_000, to: at * 1_000 + 500, by: "GET", run })));
  const ending = sightings.find(({ status }) => status !== "running") ?? completed;
  const watches = change.isWatched === false ? [] : [events({}, ending), change.watch ?? events({}, ending)];
  for (const seen of watches) {
    ledger.watches.push({ uid: UID, by: "SSE", events: [...seen], resumes: 0, isEnded: change.isEnded ?? true });
  }
  ledger.keys.push({ id: "key_1", secret: "", revokeSentAt: undefined, revokedAt: undefined, ...change.key });
  const uses = change.uses ?? [[0, 200]];
  ledger.keyUses.push(...uses.map(([from, status]) => ({ id: "key_1", from, to: from + 10, by: "alpha", status })));
  ledger.seeRows([{ id: "log_1", status: 200 }], "alpha");
  ledger.seeRows(change.rows ?? [{ id: "log_1", status: 200 }], "beta");
  const remains: Remains = {
    listed: new Map([["amy", change.listed ?? [{ ...completed, request_id: requestId }]]]),
    rowIds: new Set(change.rowIds ?? ["log_1"]),
  };
  return judge(ledger, remains);
}

const revoked = { revokeSentAt: 900, revokedAt: 1_000 };

describe("judge()", () => {
  it("takes a history in which every promise is kept", () => {
    const rows: readonly (readonly [string, History])[] = [
      ["a run that completed", {}],
      ["a run whose answer is not known before", { wanted: { text: undefined } }],
      ["a run whose workers were lost too often", { sightings: [{ ...failed, attempts: 5 }] }],
      ["a run of a model that fails", { sightings: [failed], wanted: { model: "sandbox/fault-500" } }],
      ["a cancelled run", { sightings: [running, cancelled], wanted: { isCancelSent: true, cancelled: "running" } }],
      ["a cancel that came too late", { wanted: { isCancelSent: true, cancelled: "completed" } }],
      ["a cancel that nobody acknowledged", { wanted: { isCancelSent: true } }],
      [
        "a revoke that is on its way",
        {
          key: revoked,
          uses: [
            [0, 200],
            [895, 401],
            [950, 200],
            [1_990, 200],
            [1_995, 401],
          ],
        },
      ],
      ["a revoke that is felt", { key: revoked, uses: [[2_001, 401]] }],
      ["more rows than were seen", { rowIds: ["log_0", "log_1"] }],
    ];
    for (const [name, history] of rows) expect([name, faultsOf(history)]).toEqual([name, []]);
  });

  it("finds each promise that is broken", () => {
    const listedRun = { ...completed, request_id: "request 1" };
    const text = "two one";
    const rows: readonly (readonly [RegExp, History])[] = [
      [/has not ended/, { sightings: [running], isWatched: false }],
      [/ended as .*completed.* by GET, and as .*failed/, { sightings: [completed, failed] }],
      [
        /ended as .*chatcmpl-1.* and as .*chatcmpl-2/,
        { sightings: [completed, { ...completed, response: { ...response, id: "chatcmpl-2" } }] },
      ],
      [/is running by GET after it was seen completed/, { sightings: [completed, running] }],
      [/made the runs run_1, run_2/, { wanted: { uids: new Set([UID, "run_2"]) } }],
      [/made the runs run_1, run_2/, { listed: [listedRun, { ...listedRun, uid: "run_2" }] }],
      [/is listed 0 times/, { listed: [] }],
      [/is listed 2 times/, { listed: [listedRun, listedRun] }],
      [/asked for "two one", and answers "one two"/, { wanted: { text } }],
      [/completed, though sandbox\/fault-cut fails/, { wanted: { model: "sandbox/fault-cut" } }],
      [/completed with .*"error":\{/, { sightings: [{ ...completed, error: {} }] }],
      [/failed without a cause after 4 attempts: .*worker_lost/, { sightings: [{ ...failed, attempts: 4 }] }],
      [
        /failed without a cause after 9 attempts: .*internal/,
        { sightings: [{ ...failed, attempts: 9, error: { code: "internal" } }] },
      ],
      [/failed with .*"error":null/, { sightings: [{ ...failed, error: null }] }],
      [/cancelled, and nobody asked for that/, { sightings: [cancelled] }],
      [
        /completed, though its end was acknowledged when it was queued/,
        { wanted: { isCancelSent: true, cancelled: "queued" } },
      ],
      [/event 4 follows 2/, { watch: events().filter(({ sequence }) => sequence !== 3) }],
      [/event 2 follows 2/, { watch: events().flatMap((it) => (it.sequence === 2 ? [it, it] : [it])) }],
      [/event 2 follows nothing/, { watch: events().slice(1) }],
      [/event 3 is the end, and more follow/, { watch: events({ 3: { kind: "run", ...json(completed) } }) }],
      [/event 3 is .*ONE.*, and was .*one/, { watch: events({ 3: json(piece("ONE ")) }) }],
      [
        /come to .*"one one two".*, and the response/,
        {
          watch: events({ 2: { kind: "chunk", ...json(piece("one ")) } }).map((it, at) =>
            at === 0 ? { ...it, kind: "restart" } : it,
          ),
        },
      ],
      [/come to .*"end":null.*, and the response/, { watch: events({ 4: json(piece("two")) }) }],
      [/chunks of chatcmpl-1 and chatcmpl-9/, { watch: events({ 4: json({ ...piece("two"), id: "chatcmpl-9" }) }) }],
      [/choice 0 goes on behind its end/, { watch: events({ 3: json(piece("one ", "stop")) }) }],
      [/its last event is .*"sequence":5/, { watch: events().slice(0, 5) }],
      [/did not come to the end/, { isEnded: false }],
      [/its last event has number 6, and the run 7/, { sightings: [{ ...completed, last_sequence: 7 }] }],
      [/refused, and nobody revoked it/, { uses: [[0, 401]] }],
      [/refused, and nobody revoked it/, { key: revoked, uses: [[880, 401]] }],
      [/lets in 1001 ms after its revoke/, { key: revoked, uses: [[2_001, 200]] }],
      [/is answered with 403/, { uses: [[0, 403]] }],
      [/row log_1 was .*200.*, and is .*500.* by beta/, { rows: [{ id: "log_1", status: 500 }] }],
      [/row log_1 was seen, and is lost/, { rowIds: ["log_2"] }],
    ];
    for (const [fault, history] of rows) expect(faultsOf(history).join("\n")).toMatch(fault);
  });
});
