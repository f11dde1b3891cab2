/** Every error over all four doors: the same reason, code, parameter and delay; the status that the catalogue says. */
import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../../src/errors/catalogue.ts";
import type { ChatCompletionChunk } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { collect, failureOf } from "../support/collect.ts";
import { DoorError } from "../support/door-error.ts";
import { type CallSettings, DOORS, type DoorClient, type Params } from "../support/doors.ts";
import { useDoors } from "../support/use-doors.ts";

const user = (value: string) => ({ role: Role.USER, content: [{ kind: { case: "text" as const, value } }] });
const base = { model: "sandbox/echo", messages: [user("one two three four five six")] };

interface Story {
  readonly name: string;
  readonly params: Params;
  readonly settings?: CallSettings;
  readonly reason: Reason;
  readonly param?: string;
  readonly retryAfterMs?: number;
  readonly quotas?: readonly string[];
}

/** Errors before any output: as an HTTP status on REST, also of a call that streams. */
const BEFORE: readonly Story[] = [
  { name: "no model", params: { ...base, model: "" }, reason: Reason.MISSING_PARAMETER, param: "model" },
  { name: "no messages", params: { model: "auto" }, reason: Reason.MISSING_PARAMETER, param: "messages" },
  { name: "temperature 3", params: { ...base, temperature: 3 }, reason: Reason.INVALID_VALUE, param: "temperature" },
  { name: "top_p 2", params: { ...base, topP: 2 }, reason: Reason.INVALID_VALUE, param: "top_p" },
  {
    name: "five stops",
    params: { ...base, stop: ["a", "b", "c", "d", "e"] },
    reason: Reason.INVALID_VALUE,
    param: "stop",
  },
  { name: "n 0", params: { ...base, n: 0 }, reason: Reason.INVALID_VALUE, param: "n" },
  {
    name: "lonely top_logprobs",
    params: { ...base, topLogprobs: 1 },
    reason: Reason.INVALID_VALUE,
    param: "top_logprobs",
  },
  {
    name: "a tool message without an id",
    params: { ...base, messages: [user("a"), { ...user("b"), role: Role.TOOL }] },
    reason: Reason.MISSING_PARAMETER,
    param: "messages[1].tool_call_id",
  },
  {
    name: "an unknown model",
    params: { ...base, model: "nobody/nothing" },
    reason: Reason.MODEL_NOT_FOUND,
    param: "model",
  },
  {
    name: "an unknown model of the sandbox",
    params: { ...base, model: "sandbox/x" },
    reason: Reason.MODEL_NOT_FOUND,
    param: "model",
  },
  {
    name: "a strict call with a parameter of no effect",
    params: { ...base, topK: 4 },
    settings: { options: { strict: true } },
    reason: Reason.UNSUPPORTED_PARAMETER,
    param: "top_k",
  },
  {
    name: "a knob that is not there",
    params: { ...base, extra: { sandbox: { speed: 3 } } },
    reason: Reason.UNSUPPORTED_PARAMETER,
    param: "sandbox.speed",
  },
  {
    name: "a schema that nothing satisfies",
    params: {
      ...base,
      responseFormat: {
        format: {
          case: "jsonSchema",
          value: { name: "x", definition: { case: "schema", value: { type: "integer", minimum: 2, maximum: 1 } } },
        },
      },
    },
    reason: Reason.UNSUPPORTED_VALUE,
    param: "response_format.json_schema.schema",
  },
  { name: "fault-401", params: { ...base, model: "sandbox/fault-401" }, reason: Reason.UPSTREAM_AUTHENTICATION_FAILED },
  {
    name: "fault-429",
    params: { ...base, model: "sandbox/fault-429" },
    reason: Reason.RATE_LIMIT_EXCEEDED,
    retryAfterMs: 1000,
    quotas: ["provider:sandbox"],
  },
  {
    name: "fault-429 with a delay",
    params: { ...base, model: "sandbox/fault-429", extra: { sandbox: { retry_after_ms: 2500 } } },
    reason: Reason.RATE_LIMIT_EXCEEDED,
    retryAfterMs: 2500,
    quotas: ["provider:sandbox"],
  },
  { name: "fault-500", params: { ...base, model: "sandbox/fault-500" }, reason: Reason.UPSTREAM_ERROR },
  { name: "fault-503", params: { ...base, model: "sandbox/fault-503" }, reason: Reason.OVERLOADED, retryAfterMs: 1000 },
  { name: "fault-empty", params: { ...base, model: "sandbox/fault-empty" }, reason: Reason.UPSTREAM_INVALID_RESPONSE },
];

/** Errors after output: of a call that streams. */
const WITHIN: readonly Story[] = [
  { name: "fault-cut", params: { ...base, model: "sandbox/fault-cut" }, reason: Reason.UPSTREAM_STREAM_INTERRUPTED },
  {
    name: "fault-bad-json",
    params: { ...base, model: "sandbox/fault-bad-json" },
    reason: Reason.UPSTREAM_INVALID_RESPONSE,
  },
  {
    name: "fault-error-in-stream",
    params: { ...base, model: "sandbox/fault-error-in-stream" },
    reason: Reason.OVERLOADED,
  },
  {
    name: "a deadline after the first chunk",
    params: { ...base, model: "sandbox/fault-stall" },
    settings: { timeoutMs: 300 },
    reason: Reason.DEADLINE_EXCEEDED,
  },
];

/** Whole calls that fail in the middle of the upstream's answer. */
const WHOLE: readonly Story[] = [
  { name: "fault-cut", params: { ...base, model: "sandbox/fault-cut" }, reason: Reason.UPSTREAM_INVALID_RESPONSE },
  {
    name: "fault-bad-json",
    params: { ...base, model: "sandbox/fault-bad-json" },
    reason: Reason.UPSTREAM_INVALID_RESPONSE,
  },
  {
    name: "a deadline",
    params: { ...base, model: "sandbox/fault-stall" },
    settings: { timeoutMs: 150 },
    reason: Reason.DEADLINE_EXCEEDED,
  },
];

function expectError(door: DoorClient, thrown: unknown, story: Story, isWithin = false): string {
  expect(thrown).toBeInstanceOf(DoorError);
  const error = thrown as DoorError;
  const row = CATALOGUE[story.reason];
  const restStatus = isWithin ? undefined : row.httpStatus;
  expect({ type: error.type, code: error.code, param: error.param, status: error.status }).toEqual({
    type: row.type,
    code: row.code,
    param: story.param ?? null,
    status: door.name === "rest" ? restStatus : row.connectCode,
  });
  const fields = row.connectCode === Code.InvalidArgument && story.param !== undefined ? [`params.${story.param}`] : [];
  const details = { reason: `parley: ${Reason[story.reason]}`, fields, quotas: story.quotas ?? [] };
  expect(error.details).toEqual(door.name === "rest" ? undefined : details);
  return error.message;
}

describe("errors", () => {
  const { doors, gateway } = useDoors();

  it.each([...BEFORE, ...WHOLE])("$name: whole, the same on every door", async (story) => {
    const messages = new Set<string>();
    for (const door of doors) {
      const thrown = await failureOf(door.complete(story.params, story.settings));
      messages.add(expectError(door, thrown, story));
      expect((thrown as DoorError).retryAfterMs).toBe(story.retryAfterMs);
    }
    expect(messages.size).toBe(1);
  });

  it.each(BEFORE)("$name: before a stream, the same on every door", async (story) => {
    const messages = new Set<string>();
    for (const door of doors) {
      const thrown = await failureOf(collect(door.stream(story.params, story.settings)));
      messages.add(expectError(door, thrown, story));
      expect((thrown as DoorError).retryAfterMs).toBe(story.retryAfterMs);
    }
    expect(messages.size).toBe(1);
  });

  it.each(WITHIN)("$name: within a stream, after some output and without a finish", async (story) => {
    for (const door of doors) {
      const chunks: ChatCompletionChunk[] = [];
      const reading = (async () => {
        for await (const chunk of door.stream(story.params, story.settings)) chunks.push(chunk);
      })();
      expectError(door, await failureOf(reading), story, true);
      expect(chunks.length).toBeGreaterThan(1);
      expect(chunks.flatMap(({ choices }) => choices.map(({ finishReason }) => finishReason))).not.toContain(1);
    }
  });

  it.each([
    "complete",
    "stream",
  ] as const)("ends a call (%s) that has not begun at the deadline, with a status", async (kind) => {
    const story: Story = {
      name: "slow start",
      params: { ...base, model: "sandbox/fault-slow-start" },
      settings: { timeoutMs: 150 },
      reason: Reason.DEADLINE_EXCEEDED,
    };
    for (const door of doors) {
      const call =
        kind === "stream"
          ? collect(door.stream(story.params, story.settings))
          : door.complete(story.params, story.settings);
      const message = expectError(door, await failureOf(call), story);
      expect(message).toBe("the call did not end within its deadline of 150 ms");
    }
  });

  it("reports what it adjusted, instead of dropping it", async () => {
    const params: Params = { ...base, topK: 4, maxTokens: 100_000 };
    for (const door of doors) await door.complete(params);
    const lines = gateway().lines.filter(({ adjustments }) => Array.isArray(adjustments) && adjustments.length === 2);
    expect(lines.map(({ door }) => door).sort()).toEqual([...DOORS].sort());
    expect(lines.map(({ adjustments }) => adjustments)).toEqual(
      lines.map(() => ["top_k=dropped", "max_tokens=clamped"]),
    );
  });

  it("logs what a strict call was refused for", async () => {
    const params: Params = { ...base, topK: 5, seed: 3n };
    for (const door of doors) await failureOf(door.complete(params, { options: { strict: true } }));
    const isThis = ({ adjustments, reason }: Record<string, unknown>): boolean =>
      reason === "UNSUPPORTED_PARAMETER" && String(adjustments) === "top_k=dropped";
    const lines = gateway().lines.filter(isThis);
    expect(lines.map(({ door }) => door)).toEqual(expect.arrayContaining([...DOORS]));
    expect(new Set(lines.map(({ target }) => target))).toEqual(new Set([base.model]));
  });
});
