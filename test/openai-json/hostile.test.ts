import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { ChatCompletionSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { planOf } from "../../src/openai-json/compile-plan.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { parseJson } from "../../src/openai-json/parse.ts";
import { formatPath, type PathSegment } from "../../src/openai-json/path.ts";
import type { MessagePlan } from "../../src/openai-json/plan.ts";
import { FULL_REQUEST } from "./support/openai-requests.ts";

const VALUES: readonly JsonValue[] = [null, true, 1, 1.5, "x", [], {}];
const REASONS = [Reason.INVALID_VALUE, Reason.MISSING_PARAMETER];

/** Paths of all values within a value, and of itself. */
function pathsOf(value: unknown, path: readonly PathSegment[] = []): (readonly PathSegment[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...entries.flatMap(([step, inner]) => pathsOf(inner, [...path, step]))];
}

function replaced(value: JsonValue, [step, ...rest]: readonly PathSegment[], by: JsonValue): JsonValue {
  if (step === undefined) return by;
  const copy = structuredClone(value) as Record<PathSegment, JsonValue>;
  copy[step] = replaced(copy[step]!, rest, by);
  return copy as JsonValue;
}

/** What a decoding threw; undefined if nothing. */
function fault(desc: DescMessage, json: JsonValue): unknown {
  try {
    decodeJson(desc, parseJson(JSON.stringify(json)));
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("a request with one wrong value", () => {
  const request = FULL_REQUEST as unknown as JsonValue;
  const mutations = pathsOf(request).flatMap((path) => VALUES.map((value) => ({ path, value })));

  it("is decoded, or refused with a path that leads to it", () => {
    const faults = mutations.map(({ path, value }) => ({
      at: formatPath(path),
      fault: fault(ChatCompletionParamsSchema, replaced(request, path, value)),
    }));
    const wrong = faults.filter(({ at, fault }) => fault !== undefined && !isAbout(fault, at));
    expect(wrong).toEqual([]);
    // Most of them are refused, and some are not.
    expect(faults.filter(({ fault }) => fault !== undefined).length).toBeGreaterThan(faults.length / 2);
    expect(faults.filter(({ fault }) => fault === undefined).length).toBeGreaterThan(faults.length / 10);
  });
});

/** Whether an error names the place, or one below it, as a client's fault. */
function isAbout(error: unknown, at: string): boolean {
  if (!(error instanceof GatewayError) || error.row.httpStatus !== 400 || !REASONS.includes(error.reason)) return false;
  return (error.details.param ?? "").startsWith(at);
}

/** All keys that a message and those below it know. */
function keysOf(plan: MessagePlan, seen = new Set<MessagePlan>()): string[] {
  if (seen.has(plan)) return [];
  seen.add(plan);
  const values = plan.parts.flatMap((part) =>
    part.kind === "union" ? [...part.byCase.values()].map(({ value }) => value) : [part.value],
  );
  const below = values.flatMap((value) => (value.kind === "message" ? keysOf(value.plan, seen) : []));
  return [...plan.slots.keys(), ...below];
}

describe.each([
  ["parameters", ChatCompletionParamsSchema],
  ["a completion", ChatCompletionSchema],
])("any JSON as %s", (_, desc) => {
  const keys = fc.constantFrom(...new Set(keysOf(planOf(desc))), "__proto__", "constructor", "x");
  const words = fc.constantFrom("function", "custom", "text", "image_url", "user", "auto", "json_schema", "error");
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: "medium", withCrossShrink: true },
      fc.constantFrom<JsonValue>(null, true, 0, -1.5, 1e21, "", "x"),
      words,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(keys, tie("value"), { maxKeys: 8 }),
    ),
  }));

  it.each(["strict", "lenient"] as const)("is decoded, or refused by a client's error (%s)", (enums) => {
    fc.assert(
      fc.property(fc.dictionary(keys, value, { maxKeys: 8 }), (json) => {
        const outcome = attempt(() => decodeJson(desc, json, { enums }));
        expect(outcome).toBe("a 4xx, or none");
      }),
      { numRuns: 1_000 },
    );
  });
});

function attempt(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error instanceof GatewayError && error.row.httpStatus < 500 ? "a 4xx, or none" : error;
  }
  return "a 4xx, or none";
}
