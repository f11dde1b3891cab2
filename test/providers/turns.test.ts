import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { MessageSchema, Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { Adjustment_Action } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { type Part, readConversation, type Turn } from "../../src/providers/turns.ts";

type Init = MessageInitShape<typeof MessageSchema>;

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const say = (role: Role, ...texts: string[]): Init => ({ role, content: texts.map(text) });
const call = (id: string, name = "look", input = "{}") => ({
  id,
  kind: { case: "function" as const, value: { name, arguments: input } },
});
const calls = (...ids: string[]): Init => ({ role: Role.ASSISTANT, toolCalls: ids.map((id) => call(id)) });
const result = (toolCallId: string, value: string, rest: Init = {}): Init => ({
  role: Role.TOOL,
  toolCallId,
  content: [text(value)],
  ...rest,
});

const read = (...messages: Init[]) =>
  readConversation(create(ChatCompletionParamsSchema, { messages: messages.map((it) => create(MessageSchema, it)) }));

const texts = (parts: readonly Part[]): string[] =>
  parts.map(({ path, part }) => `${path}=${part.kind.case === "text" ? part.kind.value : part.kind.case}`);

/** A turn in one line. */
function shape(turn: Turn): string {
  switch (turn.kind) {
    case "system":
    case "user":
      return `${turn.kind} ${texts(turn.parts).join(", ")}`;
    case "assistant":
      return `assistant ${[...texts(turn.parts), ...turn.calls.map(({ path, id, name, input }) => `${path}=${id}:${name}(${input})`)].join(", ")}`;
    case "results":
      return `results ${turn.results.map((it) => `${it.call.id}=${texts(it.parts).join("+")}${it.isError === true ? "!" : ""}`).join(", ")}`;
    default:
      return turn satisfies never;
  }
}

const shapes = (...messages: Init[]): string[] => read(...messages).turns.map(shape);
const adjusted = (...messages: Init[]): string[] =>
  read(...messages).adjustments.map(({ path, action }) => `${path} ${Adjustment_Action[action]}`);

describe("readConversation()", () => {
  it.each<[string, Init[], string[]]>([
    ["nothing", [], []],
    [
      "who speaks",
      [say(Role.SYSTEM, "a"), say(Role.DEVELOPER, "b"), say(Role.USER, "c"), say(Role.ASSISTANT, "d")],
      [
        "system messages[0].content[0]=a",
        "system messages[1].content[0]=b",
        "user messages[2].content[0]=c",
        "assistant messages[3].content[0]=d",
      ],
    ],
    [
      "texts that say something, blank ones included, at their own places",
      [say(Role.USER, "", "a", " ", "")],
      ["user messages[0].content[1]=a, messages[0].content[2]= "],
    ],
    ["no texts at all", [say(Role.USER, ""), say(Role.ASSISTANT)], ["user ", "assistant "]],
    [
      "refusals as texts",
      [
        {
          role: Role.ASSISTANT,
          content: [{ kind: { case: "refusal", value: "no" } }, { kind: { case: "refusal", value: "" } }],
          refusal: "never",
        },
      ],
      ["assistant messages[0].content[0]=no, messages[0].refusal=never"],
    ],
    [
      "other parts as they are",
      [{ role: Role.USER, content: [text("a"), { kind: { case: "imageUrl", value: { url: "data:," } } }] }],
      ["user messages[0].content[0]=a, messages[0].content[1]=imageUrl"],
    ],
    [
      "calls and their results, in the order of the calls",
      [calls("1", "2"), result("2", "b"), result("1", "a", { isError: true }), say(Role.USER, "c")],
      [
        "assistant messages[0].tool_calls[0].function.arguments=1:look({}), messages[0].tool_calls[1].function.arguments=2:look({})",
        "results 1=messages[2].content[0]=a!, 2=messages[1].content[0]=b",
        "user messages[3].content[0]=c",
      ],
    ],
    [
      "calls of custom tools",
      [
        {
          role: Role.ASSISTANT,
          toolCalls: [{ id: "1", kind: { case: "custom", value: { name: "run", input: "ls" } } }],
        },
        result("1", "a"),
      ],
      ["assistant messages[0].tool_calls[0].custom.input=1:run(ls)", "results 1=messages[1].content[0]=a"],
    ],
    [
      "two calls of one id, first come first served",
      [calls("1", "1"), result("1", "a"), result("1", "b")],
      [
        "assistant messages[0].tool_calls[0].function.arguments=1:look({}), messages[0].tool_calls[1].function.arguments=1:look({})",
        "results 1=messages[1].content[0]=a, 1=messages[2].content[0]=b",
      ],
    ],
    [
      "the legacy form",
      [
        say(Role.USER, "a"),
        { role: Role.ASSISTANT, functionCall: { name: "look", arguments: "{}" } },
        { role: Role.FUNCTION, name: "look", content: [text("b")] },
      ],
      [
        "user messages[0].content[0]=a",
        "assistant messages[1].function_call.arguments=call_function_1:look({})",
        "results call_function_1=messages[2].content[0]=b",
      ],
    ],
    [
      "an empty result",
      [calls("1"), { role: Role.TOOL, toolCallId: "1" }],
      ["assistant messages[0].tool_calls[0].function.arguments=1:look({})", "results 1="],
    ],
  ])("reads %s", (_name, messages, expected) => {
    expect(shapes(...messages)).toEqual(expected);
    expect(adjusted(...messages)).toEqual([]);
  });

  it.each<[string, Init[], string, string[]]>([
    [
      "a call that nobody answered before the next message",
      [calls("1", "2"), result("2", "b"), say(Role.USER, "c")],
      "results 1=messages[0]=no result provided!, 2=messages[1].content[0]=b",
      ["messages[0].tool_calls[0] MAPPED"],
    ],
    [
      "a call that nobody answered before the next calls",
      [calls("1"), calls("2"), result("2", "b")],
      "results 1=messages[0]=no result provided!",
      ["messages[0].tool_calls[0] MAPPED"],
    ],
    [
      "a call that nobody answered at the end",
      [calls("1")],
      "results 1=messages[0]=no result provided!",
      ["messages[0].tool_calls[0] MAPPED"],
    ],
    [
      "a result of no call",
      [calls("1"), result("1", "a"), result("9", "x")],
      "results 1=messages[1].content[0]=a",
      ["messages[2] DROPPED"],
    ],
    [
      "a call in the legacy form that nobody answered",
      [{ role: Role.ASSISTANT, functionCall: { name: "look", arguments: "{}" } }],
      "results call_function_0=messages[0]=no result provided!",
      ["messages[0].function_call MAPPED"],
    ],
    [
      "a call in the legacy form beside others",
      [
        {
          role: Role.ASSISTANT,
          toolCalls: [{ id: "1", kind: { case: "function", value: { name: "look", arguments: "{}" } } }],
          functionCall: { name: "look", arguments: "{}" },
        },
        result("1", "a"),
      ],
      "results 1=messages[1].content[0]=a",
      ["messages[0].function_call DROPPED"],
    ],
    [
      "a second result",
      [calls("1"), result("1", "a"), result("1", "b")],
      "results 1=messages[1].content[0]=a",
      ["messages[2] DROPPED"],
    ],
    [
      "a result that comes too late",
      [calls("1"), say(Role.USER, "a"), result("1", "b")],
      "results 1=messages[0]=no result provided!",
      ["messages[0].tool_calls[0] MAPPED", "messages[2] DROPPED"],
    ],
  ])("mends %s", (_name, messages, expected, adjustments) => {
    expect(shapes(...messages)[1]).toBe(expected);
    expect(adjusted(...messages)).toEqual(adjustments);
  });

  it("keeps what the model thought, names, and what goes with calls", () => {
    const [turn] = read({
      role: Role.ASSISTANT,
      name: "bot",
      reasoningContent: "hm",
      reasoningDetails: [{ text: "hm", signature: "c2ln" }],
      toolCalls: [{ ...call("1"), extraContent: { google: "signed" } }],
    }).turns;
    expect(turn).toMatchObject({
      kind: "assistant",
      index: 0,
      name: "bot",
      reasoningContent: "hm",
      reasoningDetails: [{ text: "hm", signature: "c2ln" }],
      calls: [{ id: "1", kind: "function", extraContent: { google: "signed" } }],
    });
  });

  it("never changes the request", () => {
    const messages = [
      calls("1"),
      { role: Role.ASSISTANT, content: [{ kind: { case: "refusal" as const, value: "no" } }] },
      result("1", ""),
    ].map((it) => create(MessageSchema, it));
    const before = structuredClone(messages);
    readConversation(create(ChatCompletionParamsSchema, { messages }));
    expect(messages).toEqual(before);
  });
});
