import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { admitChat } from "../../src/admission/admit.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { CreateChatCompletionRequestSchema } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { ImageUrl_Detail, type MessageSchema, Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { type ChatCompletionParamsSchema, OutputModality } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { ToolChoice_Mode } from "../../src/gen/parley/chat/v1/tool_pb.ts";

type Params = MessageInitShape<typeof ChatCompletionParamsSchema>;
interface Refusal {
  readonly what: string;
  readonly change: Params;
  readonly reason: string;
  readonly param: string;
  readonly message: RegExp;
}
const row = (what: string, change: Params, reason: string, param: string, message = /./): Refusal => ({
  what,
  change,
  reason,
  param,
  message,
});

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const user = { role: Role.USER, content: [text("hi")] };
const call = { id: "call_1", kind: { case: "function" as const, value: { name: "f", arguments: "{}" } } };
const tool = { kind: { case: "function" as const, value: { name: "f" } } };
const named = (name: string) => ({ choice: { case: "function" as const, value: { name } } });

/** Admits a valid request with these changes, and says what came of it. */
async function admit(
  change: Params,
  streaming = false,
  strict = false,
): Promise<{ reason: string; param?: string | undefined; message?: string }> {
  const params = { model: "m", messages: [user], ...change };
  try {
    await admitChat(
      CreateChatCompletionRequestSchema,
      create(CreateChatCompletionRequestSchema, { params, options: { strict } }),
      streaming,
    );
    return { reason: "admitted" };
  } catch (thrown) {
    const error = GatewayError.from(thrown);
    return { reason: error.reasonName, param: error.details.param, message: error.message };
  }
}

const MISSING = "MISSING_PARAMETER";
const INVALID = "INVALID_VALUE";

const LONG_SCHEMA = {
  case: "parametersJson" as const,
  value: `{"maximum":12345678901234567890,"description":"${"a".repeat(1024 * 1024)}"}`,
};

const REFUSED: readonly Refusal[] = [
  row("no model", { model: "" }, MISSING, "model"),
  row(
    "a schema as text that is too long to keep its numbers",
    { tools: [{ kind: { case: "function", value: { name: "f", schema: LONG_SCHEMA } } }] },
    INVALID,
    "tools[0].function.parameters",
    /too long/,
  ),
  row("no messages", { messages: [] }, MISSING, "messages"),
  row("a temperature above 2", { temperature: 2.1 }, INVALID, "temperature", /2\.1.*0.*2/),
  row("a temperature below 0", { temperature: -0.1 }, INVALID, "temperature"),
  row("a temperature that is no number", { temperature: Number.NaN }, INVALID, "temperature"),
  row("top_p above 1", { topP: 1.01 }, INVALID, "top_p"),
  row("a penalty below -2", { frequencyPenalty: -2.5 }, INVALID, "frequency_penalty"),
  row("a penalty above 2", { presencePenalty: 2.5 }, INVALID, "presence_penalty"),
  row("max_tokens 0", { maxTokens: 0 }, INVALID, "max_tokens"),
  row("max_completion_tokens 0", { maxCompletionTokens: 0 }, INVALID, "max_completion_tokens"),
  row("top_k 0", { topK: 0 }, INVALID, "top_k"),
  row("five stop sequences", { stop: ["a", "b", "c", "d", "e"] }, INVALID, "stop", /4/),
  row("an empty stop sequence", { stop: [""] }, INVALID, "stop[0]"),
  row("n 0", { n: 0 }, INVALID, "n"),
  row("n 129", { n: 129 }, INVALID, "n"),
  row("top_logprobs 21", { logprobs: true, topLogprobs: 21 }, INVALID, "top_logprobs"),
  row("top_logprobs without logprobs", { topLogprobs: 2 }, INVALID, "top_logprobs", /needs logprobs/),
  row("tool_choice without tools", { toolChoice: named("f") }, INVALID, "tool_choice"),
  row("parallel_tool_calls without tools", { parallelToolCalls: true }, INVALID, "parallel_tool_calls"),
  row(
    "function_call without functions",
    { functionCall: { choice: { case: "name", value: "f" } } },
    INVALID,
    "function_call",
  ),
  row("a choice of no tool", { tools: [tool], toolChoice: named("g") }, INVALID, "tool_choice.function.name"),
  row(
    "a choice of no function",
    { functions: [{ name: "f" }], functionCall: { choice: { case: "name", value: "g" } } },
    INVALID,
    "function_call.name",
  ),
  row(
    "a tool name with a space",
    { tools: [{ kind: { case: "function", value: { name: "a b" } } }] },
    INVALID,
    "tools[0].function.name",
  ),
  row("a logit bias above 100", { logitBias: { 5: 101 } }, INVALID, 'logit_bias["5"]'),
  row("a long label", { metadata: { a: "x".repeat(513) } }, INVALID, 'metadata["a"]'),
  row("stream_options without a stream", { streamOptions: {} }, INVALID, "stream_options"),
  row("stream: true of a call that does not stream", { stream: true }, INVALID, "stream"),
  row("async", { async: true }, "INVALID_VALUE", "async"),
  row("audio output without its parameters", { modalities: [OutputModality.AUDIO] }, INVALID, "modalities"),
  row("a message without a role", { messages: [{ content: [text("a")] }] }, MISSING, "messages[0].role"),
  row("a user message without content", { messages: [{ role: Role.USER }] }, MISSING, "messages[0].content"),
  row(
    "a tool message without content",
    {
      messages: [
        { role: Role.ASSISTANT, toolCalls: [call] },
        { role: Role.TOOL, toolCallId: "call_1" },
      ],
    },
    MISSING,
    "messages[1].content",
  ),
  row("an assistant that says nothing", { messages: [user, { role: Role.ASSISTANT }] }, MISSING, "messages[1].content"),
  row(
    "a function message without a name",
    { messages: [user, { role: Role.FUNCTION, content: [text("a")] }] },
    MISSING,
    "messages[1].name",
  ),
  row(
    "an image of the system",
    {
      messages: [
        {
          role: Role.SYSTEM,
          content: [{ kind: { case: "imageUrl", value: { url: "https://a", detail: ImageUrl_Detail.LOW } } }],
        },
      ],
    },
    INVALID,
    "messages[0].content[0]",
  ),
  row(
    "an image without an address",
    { messages: [{ role: Role.USER, content: [{ kind: { case: "imageUrl", value: {} } }] }] },
    MISSING,
    "messages[0].content[0].image_url.url",
  ),
  row(
    "a tool message without an id",
    { messages: [{ role: Role.TOOL, content: [text("a")] }] },
    MISSING,
    "messages[0].tool_call_id",
  ),
];

const asked: MessageInitShape<typeof MessageSchema> = { role: Role.ASSISTANT, toolCalls: [call] };
const result: MessageInitShape<typeof MessageSchema> = { role: Role.TOOL, toolCallId: "call_1", content: [text("a")] };

/** What providers mend unless the call is strict. */
const UNPAIRED: readonly (readonly [string, Params["messages"], string])[] = [
  ["a tool message that answers no call", [user, result], "messages[1].tool_call_id"],
  ["a tool message after its turn", [asked, result, user, result], "messages[3].tool_call_id"],
  ["a call that is answered twice", [asked, result, result], "messages[2].tool_call_id"],
  ["a call that is not answered before the user speaks", [asked, user], "messages[0].tool_calls"],
  ["a call that is not answered at the end", [user, asked], "messages[1].tool_calls"],
];

const ADMITTED: readonly (readonly [string, Params])[] = [
  [
    "the bounds of every number",
    {
      temperature: 0,
      topP: 1,
      frequencyPenalty: -2,
      presencePenalty: 2,
      maxTokens: 1,
      n: 128,
      logprobs: true,
      topLogprobs: 20,
    },
  ],
  ["four stop sequences", { stop: ["a", "b", "c", "d"] }],
  [
    "tools that must not be called",
    { tools: [tool], toolChoice: { choice: { case: "mode", value: ToolChoice_Mode.NONE } } },
  ],
  [
    "a whole tool loop",
    {
      messages: [
        user,
        { role: Role.ASSISTANT, toolCalls: [call] },
        { role: Role.TOOL, toolCallId: "call_1", content: [text("a")] },
        user,
      ],
    },
  ],
  ["top_logprobs of zero", { logprobs: true, topLogprobs: 0 }],
  [
    "a thought of a kind that only its provider knows",
    { messages: [{ role: Role.ASSISTANT, content: [text("a")], reasoningDetails: [{ extra: { signature2: "s" } }] }] },
  ],
  ["an empty text", { messages: [{ role: Role.USER, content: [text("")] }] }],
];

describe("admitChat()", () => {
  it.each(REFUSED)("refuses $what", async ({ change, reason, param, message }) => {
    expect(await admit(change)).toEqual({ reason, param, message: expect.stringMatching(message) });
  });

  it.each(ADMITTED)("admits %s", async (_what, change) => {
    expect(await admit(change)).toEqual({ reason: "admitted" });
  });

  it.each(UNPAIRED)("refuses %s, in a strict call only", async (_what, messages, param) => {
    const message = expect.stringMatching(/must/) as string;
    expect(await admit({ messages: messages ?? [] }, false, true)).toEqual({ reason: INVALID, param, message });
    expect(await admit({ messages: messages ?? [] })).toEqual({ reason: "admitted" });
  });

  it("lists at most 20 violations, each with the path of its field", async () => {
    const messages = Array.from({ length: 1_000 }, () => ({}));
    const request = create(CreateChatCompletionRequestSchema, { params: { model: "m", messages } });
    let error: unknown;
    try {
      await admitChat(CreateChatCompletionRequestSchema, request, false);
    } catch (thrown) {
      error = thrown;
    }
    expect(GatewayError.from(error).details.violations?.map(({ path }) => path)).toEqual(
      Array.from({ length: 20 }, (_, index) => `params.messages[${index}].role`),
    );
  });

  it("judges 20,000 tool messages in linear time", async () => {
    const calls = Array.from({ length: 20_000 }, (_, index) => ({ ...call, id: `call_${index}` }));
    const results = calls.map(({ id }) => ({ role: Role.TOOL, toolCallId: id, content: [text("a")] }));
    expect(await admit({ messages: [{ role: Role.ASSISTANT, toolCalls: calls }, ...results] }, false, true)).toEqual({
      reason: "admitted",
    });
  });
});
