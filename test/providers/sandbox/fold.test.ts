import { create, equals, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createIdentity } from "../../../src/gateway/identity.ts";
import { settleCompletion } from "../../../src/gateway/settle-completion.ts";
import { createStreamGrammar } from "../../../src/gateway/stream-grammar.ts";
import type { ChatCompletionChunk } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { ChatCompletionSchema } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema, ReasoningEffort } from "../../../src/gen/parley/chat/v1/params_pb.ts";
import { Grammar_Syntax, ToolChoice_Mode } from "../../../src/gen/parley/chat/v1/tool_pb.ts";
import { createSandbox } from "../../../src/providers/sandbox/provider.ts";
import { fold } from "../../support/fold.ts";

type Params = MessageInitShape<typeof ChatCompletionParamsSchema>;

const sandbox = createSandbox({ tokenDelayMs: 0 });
const identity = createIdentity("sandbox/test");

/** The whole answer, as the gateway settles it. */
function whole(model: string, params: Params): unknown {
  const request = create(ChatCompletionParamsSchema, params);
  const step = [...sandbox.complete(model, request, sandbox.plan(model, request))].at(-1);
  if (step?.kind !== "output") throw new Error("no answer");
  return settleCompletion(step.value, identity, params.n ?? 1);
}

/** The fold of the stream, as the gateway lets it through. */
function folded(model: string, params: Params): unknown {
  const request = create(ChatCompletionParamsSchema, params);
  const grammar = createStreamGrammar(identity, params.n ?? 1);
  const chunks: ChatCompletionChunk[] = [];
  for (const step of sandbox.stream(model, request, sandbox.plan(model, request))) {
    if (step.kind === "output") grammar.push(step.value, chunks);
  }
  const last = grammar.finish();
  return fold(last === undefined ? chunks : [...chunks, last]);
}

const said = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.constantFrom("What's the weather in Oslo?", "ꙮꙮ 🪿🪿 ᚠᛇᚻ", "I think that you hate me", "one two three four"),
);
const message = fc.record({
  role: fc.constantFrom(Role.USER, Role.ASSISTANT),
  content: said.map((value) => [{ kind: { case: "text" as const, value } }]),
});
const PARAMETERS = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "array", items: { type: "integer" } } },
  required: ["city"],
};
const schema = { case: "parameters" as const, value: PARAMETERS };
const weather = { name: "get_weather", description: "The weather 🪿", schema };
const TOOLS = [
  { kind: { case: "function" as const, value: weather } },
  {
    kind: {
      case: "custom" as const,
      value: {
        name: "weather_code",
        format: {
          kind: { case: "grammar" as const, value: { syntax: Grammar_Syntax.REGEX, definition: "[ꙮ🪿]{3}" } },
        },
      },
    },
  },
];
const REQUIRED = { choice: { case: "mode" as const, value: ToolChoice_Mode.REQUIRED } };
const variants = fc.constantFrom<Params>(
  {},
  { tools: TOOLS },
  { tools: TOOLS, toolChoice: REQUIRED },
  { functions: [weather], functionCall: { choice: { case: "name", value: "get_weather" } } },
  { responseFormat: { format: { case: "jsonObject", value: {} } } },
  {
    responseFormat: {
      format: {
        case: "jsonSchema",
        value: { name: "answer", definition: { case: "schema", value: PARAMETERS } },
      },
    },
  },
);
const options = fc.record(
  {
    n: fc.integer({ min: 1, max: 4 }),
    seed: fc.bigInt({ min: 0n, max: 1000n }),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }),
    stop: fc.array(fc.constantFrom("o", " t", "🪿", "wea", "ꙮ ", "\n"), { minLength: 1, maxLength: 4 }),
    maxCompletionTokens: fc.integer({ min: 1, max: 30 }),
    logprobs: fc.constant(true),
    topLogprobs: fc.nat(20),
    reasoningEffort: fc.constantFrom(ReasoningEffort.LOW, ReasoningEffort.MAX),
  },
  { requiredKeys: [] },
);

describe("the sandbox's stream", () => {
  it("is the whole answer in pieces, whatever is asked", () => {
    const models = fc.constantFrom("eliza", "echo");
    const messages = fc.array(message, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(models, messages, variants, options, (model, conversation, variant, more) => {
        const params: Params = { messages: conversation, ...variant, ...more };
        const [a, b] = [whole(model, params), folded(model, params)].map((each) =>
          create(ChatCompletionSchema, each as object),
        );
        expect(toJson(ChatCompletionSchema, b!)).toEqual(toJson(ChatCompletionSchema, a!));
        expect(equals(ChatCompletionSchema, a!, b!)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});
