/** The bounds of the contract over all four doors: what stands at a bound is taken, what is beyond it is refused, the same on each. */
import { describe, expect, it } from "vitest";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { AudioParams_Format } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { ToolChoice_Mode } from "../../src/gen/parley/chat/v1/tool_pb.ts";
import { failureOf } from "../support/collect.ts";
import { DoorError } from "../support/door-error.ts";
import type { Params } from "../support/doors.ts";
import { useDoors } from "../support/use-doors.ts";

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const base = { model: "sandbox/echo", messages: [{ role: Role.USER, content: [text("one")] }] } satisfies Params;
const labels = (count: number, key = "k", value = "v"): Params => ({
  metadata: Object.fromEntries(Array.from({ length: count }, (_, index) => [`${key}${index}`, value])),
});
const functions = (count: number) => ({
  functions: Array.from({ length: count }, (_, index) => ({ name: `f${index}` })),
});
const tool = (name: string) => ({ tools: [{ kind: { case: "function" as const, value: { name } } }] });
const customTool = (name: string): Params => ({ tools: [{ kind: { case: "custom", value: { name } } }] });
const format = (name: string): Params => ({
  responseFormat: { format: { case: "jsonSchema", value: { name, definition: { case: "schema", value: {} } } } },
});

/** `within`: at the bounds. `beyond`: past them, each with the parameter that is named. */
interface Bound {
  readonly name: string;
  readonly within: readonly Params[];
  readonly beyond: readonly (readonly [params: Params, param: string])[];
}

const NUMBERS = [
  ["temperature", "temperature", 0, 2, 1e-9],
  ["top_p", "topP", 0, 1, 1e-9],
  ["frequency_penalty", "frequencyPenalty", -2, 2, 1e-9],
  ["presence_penalty", "presencePenalty", -2, 2, 1e-9],
  ["n", "n", 1, 128, 1],
  ["top_k", "topK", 1, 2 ** 31 - 1, 1],
  ["max_tokens", "maxTokens", 1, 2 ** 31 - 1, 1],
  ["max_completion_tokens", "maxCompletionTokens", 1, 2 ** 31 - 1, 1],
  ["top_logprobs", "topLogprobs", 0, 20, 1],
] as const;

const numberBounds = NUMBERS.map(([param, property, least, most, step]): Bound => {
  const also: Params = property === "topLogprobs" ? { logprobs: true } : {};
  const outside = most === 2 ** 31 - 1 ? [least - step] : [least - step, most + step];
  return {
    name: param,
    within: [least, most].map((value) => ({ ...also, [property]: value })),
    beyond: outside.map((value) => [{ ...also, [property]: value }, param]),
  };
});

const BOUNDS: readonly Bound[] = [
  ...numberBounds,
  {
    name: "logit_bias",
    within: [{ logitBias: { 5: -100, 6: 100 } }, { logitBias: {} }],
    beyond: [
      [{ logitBias: { 5: -100.5 } }, 'logit_bias["5"]'],
      [{ logitBias: { 5: 100.5 } }, 'logit_bias["5"]'],
      [{ logitBias: { word: 1 } }, 'logit_bias["word"]'],
    ],
  },
  {
    name: "stop",
    within: [{ stop: ["w", "x", "y", "z"] }, { stop: [] }],
    beyond: [
      [{ stop: ["v", "w", "x", "y", "z"] }, "stop"],
      [{ stop: [""] }, "stop[0]"],
    ],
  },
  {
    name: "metadata",
    within: [labels(16), labels(1, "é".repeat(63), "é".repeat(512))],
    beyond: [
      [labels(17), "metadata"],
      [labels(1, "k".repeat(64)), `metadata["${"k".repeat(64)}0"]`],
      [labels(1, "k", "v".repeat(513)), 'metadata["k0"]'],
    ],
  },
  {
    name: "safety_identifier",
    within: [{ safetyIdentifier: "s".repeat(128) }],
    beyond: [[{ safetyIdentifier: "s".repeat(129) }, "safety_identifier"]],
  },
  { name: "functions", within: [functions(128), functions(0)], beyond: [[functions(129), "functions"]] },
  {
    name: "the name of a function",
    within: [tool("f".repeat(64)), tool("A_z-9")],
    beyond: [
      [tool("f".repeat(65)), "tools[0].function.name"],
      [tool("a.b"), "tools[0].function.name"],
      [tool("a\n"), "tools[0].function.name"],
      [tool(""), "tools[0].function.name"],
    ],
  },
  {
    name: "the name of a custom tool",
    within: [customTool("c".repeat(64))],
    beyond: [[customTool("c".repeat(65)), "tools[0].custom.name"]],
  },
  {
    name: "the name of a format",
    within: [format("n".repeat(64))],
    beyond: [[format("n".repeat(65)), "response_format.json_schema.name"]],
  },
  {
    name: "unions",
    within: [{ toolChoice: { choice: { case: "mode", value: ToolChoice_Mode.AUTO } }, ...tool("f") }],
    beyond: [
      [{ tools: [{}] }, "tools[0].type"],
      [{ tools: [{ kind: { case: "custom", value: { name: "c", format: {} } } }] }, "tools[0].custom.format.type"],
      [{ ...tool("f"), toolChoice: {} }, "tool_choice.type"],
      [{ responseFormat: {} }, "response_format.type"],
      [{ messages: [{ role: Role.USER, content: [{}] }] }, "messages[0].content[0].type"],
      [
        { messages: [...base.messages, { role: Role.ASSISTANT, toolCalls: [{ id: "c" }] }] },
        "messages[1].tool_calls[0].type",
      ],
      [{ ...functions(1), functionCall: {} }, "function_call"],
      [{ audio: { format: AudioParams_Format.MP3, voice: {} } }, "audio.voice"],
    ],
  },
  {
    name: "a prediction",
    within: [{ prediction: { content: [text("a"), text("b")] } }],
    beyond: [
      [{ prediction: {} }, "prediction.content"],
      [{ prediction: { content: [text("a"), { kind: { case: "refusal", value: "b" } }] } }, "prediction.content"],
    ],
  },
];

describe("bounds", () => {
  const { doors } = useDoors();

  it.each(BOUNDS)("$name: taken at the bound on every door", async ({ within }) => {
    for (const params of within) {
      const answers = await Promise.all(doors.map((door) => door.complete({ ...base, ...params })));
      const choices = answers.map((answer) => answer.choices.length);
      expect(choices).toEqual(doors.map(() => params.n ?? 1));
    }
  });

  it.each(BOUNDS)("$name: refused beyond it, with the same words on every door", async ({ beyond }) => {
    for (const [params, param] of beyond) {
      const thrown = await Promise.all(doors.map((door) => failureOf(door.complete({ ...base, ...params }))));
      expect(thrown.every((error) => error instanceof DoorError)).toBe(true);
      const errors = thrown as DoorError[];
      expect(errors.map((error) => error.param)).toEqual(doors.map(() => param));
      expect(errors.map(({ status }) => status)).toEqual(doors.map(({ name }) => (name === "rest" ? 400 : 3)));
      expect(new Set(errors.map(({ message }) => message)).size).toBe(1);
    }
  });

  it.each<[what: string, text: string, place: string]>([
    ["no JSON", "{", ""],
    ["nothing", "", ""],
    ["an array", "[]", ""],
    ["null", "null", ""],
    ["an object with a key twice", '{"type":"object","type":"string"}', ".type"],
    ["an object with the key __proto__", '{"a":{"__proto__":{}}}', ".a.__proto__"],
    ["100,000 levels deep", '{"a":'.repeat(100_000), ".a".repeat(64)],
  ])("a schema as JSON text that is %s: refused on every door that has such texts", async (_what, schema, place) => {
    const definition = { name: "f", schema: { case: "parametersJson" as const, value: schema } };
    const rows: readonly (readonly [Params, param: string])[] = [
      [{ tools: [{ kind: { case: "function", value: definition } }] }, "tools[0].function.parameters"],
      [{ functions: [{ name: "e" }, definition] }, "functions[1].parameters"],
      [
        {
          responseFormat: {
            format: { case: "jsonSchema", value: { name: "f", definition: { case: "schemaJson", value: schema } } },
          },
        },
        "response_format.json_schema.schema",
      ],
    ];
    const rpcDoors = doors.filter(({ name }) => name !== "rest");
    expect(rpcDoors).toHaveLength(3);
    for (const [params, param] of rows) {
      const thrown = await Promise.all(rpcDoors.map((door) => failureOf(door.complete({ ...base, ...params }))));
      const expected = { param: param + place, code: "invalid_value", status: 3 };
      expect(thrown).toEqual(rpcDoors.map(() => expect.objectContaining(expected)));
    }
  });
});
