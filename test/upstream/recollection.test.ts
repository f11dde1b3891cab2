import { create, type MessageInitShape, type MessageShape, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChatCompletionChunkSchema, ChatCompletionSchema } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import {
  type Message,
  MessageSchema,
  ReasoningDetail_Type,
  ReasoningDetailSchema,
  Role,
} from "../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { ToolCallSchema } from "../../src/gen/parley/chat/v1/tool_pb.ts";
import { type Recalled, recalledOf, sizeOf } from "../../src/upstream/recalled.ts";
import { createRecollection, type Recollection } from "../../src/upstream/recollection.ts";

const { TEXT, SUMMARY, ENCRYPTED } = ReasoningDetail_Type;

const call = (id: string, extraContent?: Record<string, string>) =>
  create(ToolCallSchema, {
    id,
    kind: { case: "function", value: { name: "look", arguments: "{}" } },
    ...(extraContent === undefined ? {} : { extraContent }),
  });
const assistant = (init: MessageInitShape<typeof MessageSchema>): Message =>
  create(MessageSchema, { role: Role.ASSISTANT, ...init });
const user = create(MessageSchema, { role: Role.USER, content: [{ kind: { case: "text", value: "hello" } }] });
const completionOf = (...messages: Message[]) =>
  create(ChatCompletionSchema, { choices: messages.map((message, index) => ({ index, message })) });
const paramsOf = (...messages: Message[]) => create(ChatCompletionParamsSchema, { messages });

/** A message as a client sends it back that knows OpenAI's fields only. */
const stripped = ({ reasoningContent: _, ...message }: Message): Message => ({
  ...message,
  reasoningDetails: [],
  toolCalls: message.toolCalls.map(({ extraContent: __, ...it }) => it),
});

const restore = (recollection: Recollection, ...messages: Message[]): Message[] =>
  recollection.restore("a", paramsOf(...messages)).messages;

const detail = (type: ReasoningDetail_Type, rest: MessageInitShape<typeof ReasoningDetailSchema>) =>
  create(ReasoningDetailSchema, { type, ...rest });

const FULL = assistant({
  reasoningContent: "Let me look.",
  reasoningDetails: [
    detail(TEXT, { text: "Let me look.", signature: "c2ln", format: "anthropic-claude-v1", index: 0 }),
    detail(ENCRYPTED, { data: "ZGF0YQ", index: 1 }),
  ],
  toolCalls: [call("call_1", { google: "signed" }), call("call_2")],
});

describe("restore()", () => {
  it("puts back all that a client stripped, and leaves the rest alone", () => {
    const recollection = createRecollection();
    recollection.remember("a", completionOf(FULL));
    const params = paramsOf(user, stripped(FULL), user);
    const restored = recollection.restore("a", params);
    expect(restored.messages).toEqual([user, FULL, user]);
    expect(params.messages).toEqual([user, stripped(FULL), user]);
    expect(restored.messages[0]).toBe(params.messages[0]);
  });

  it.each<[string, Message]>([
    ["has no tool calls", assistant({ content: user.content })],
    ["was never heard of", assistant({ toolCalls: [call("call_9")] })],
    ["has reasoning details of its own", { ...stripped(FULL), reasoningDetails: [detail(TEXT, { text: "own" })] }],
    ["has extra content of its own", assistant({ toolCalls: [call("call_1"), call("call_2", { own: "yes" })] })],
    ["is of somebody else", { ...stripped(FULL), role: Role.USER }],
  ])("returns the same object where a message %s", (_name, message) => {
    const recollection = createRecollection();
    recollection.remember("a", completionOf(FULL));
    const params = paramsOf(user, message);
    expect(recollection.restore("a", params)).toBe(params);
  });

  it.each<[string, Message]>([
    ["the last piece of a stream", { ...FULL, reasoningDetails: [detail(ENCRYPTED, { data: "ZGF0YQ", index: 1 })] }],
    [
      "the last piece of a text",
      { ...FULL, reasoningContent: "look.", reasoningDetails: [detail(TEXT, { text: "look." })] },
    ],
    [
      "all pieces, not joined",
      {
        ...FULL,
        reasoningDetails: [
          detail(TEXT, { text: "Let me " }),
          detail(TEXT, { text: "look." }),
          detail(0, { signature: "c2ln" }),
          detail(ENCRYPTED, { data: "ZGF0YQ", index: 1 }),
        ],
      },
    ],
    [
      "all but the format",
      {
        ...FULL,
        reasoningDetails: FULL.reasoningDetails.map(({ format: _, ...rest }) => rest),
      },
    ],
  ])("makes whole what a client kept as %s", (_name, message) => {
    const recollection = createRecollection();
    recollection.remember("a", completionOf(FULL));
    expect(restore(recollection, message)).toEqual([FULL]);
  });

  it("returns the same object where nothing is lost", () => {
    const recollection = createRecollection();
    recollection.remember("a", completionOf(FULL));
    const params = paramsOf(FULL);
    expect(recollection.restore("a", params)).toBe(params);
  });

  it("returns the same object where nothing is kept", () => {
    const params = paramsOf(stripped(FULL));
    expect(createRecollection().restore("a", params)).toBe(params);
    const off = createRecollection({ maxBytes: 0 });
    off.remember("a", completionOf(FULL));
    expect(off.restore("a", params)).toBe(params);
  });

  it("gives nothing to another provider", () => {
    const recollection = createRecollection();
    recollection.remember("a", completionOf(FULL));
    const params = paramsOf(stripped(FULL));
    expect(recollection.restore("b", params)).toBe(params);
    expect(recollection.restore("", params)).toBe(params);
  });

  it("keeps the plain reasoning of a message that lost only the signatures", () => {
    const recollection = createRecollection();
    recollection.remember("a", completionOf(FULL));
    const own = { ...stripped(FULL), reasoningContent: "as the client has it" };
    expect(restore(recollection, own)).toEqual([{ ...FULL, reasoningContent: "as the client has it" }]);
  });

  it("puts the reasoning back once where a client made two messages of one", () => {
    const recollection = createRecollection();
    const whole = { ...FULL, toolCalls: [call("call_1", { is: "1" }), call("call_2", { is: "2" })] };
    recollection.remember("a", completionOf(whole));
    const halves = ["call_1", "call_2"].map((id) => assistant({ toolCalls: [call(id)] }));
    expect(restore(recollection, ...halves)).toEqual([
      { ...whole, toolCalls: [call("call_1", { is: "1" })] },
      assistant({ toolCalls: [call("call_2", { is: "2" })] }),
    ]);
  });

  it("gives it to the last of several messages whose calls have the same ids", () => {
    const recollection = createRecollection();
    recollection.remember("a", completionOf({ ...FULL, reasoningContent: "An older thought." }));
    recollection.remember("a", completionOf(FULL));
    expect(restore(recollection, stripped(FULL), user, stripped(FULL))).toEqual([stripped(FULL), user, FULL]);
  });

  const asked = (name: string, args: string, id = "call_0"): Message =>
    assistant({ toolCalls: [{ id, kind: { case: "function", value: { name, arguments: args } } }] });
  const PARIS = { ...asked("look", '{"city":"Paris","days":[1,2]}'), reasoningContent: "She lives there." };

  it.each<[string, Message]>([
    ["other arguments", asked("look", '{"city":"Rome","days":[1,2]}')],
    ["arguments that are no JSON", asked("look", '{"city":"Paris","days":[1,2]')],
    ["another tool", asked("book", '{"city":"Paris","days":[1,2]}')],
    ["no arguments", asked("look", "")],
  ])("gives nothing to a call of another conversation that has the same id and %s", (_what, message) => {
    const recollection = createRecollection();
    recollection.remember("a", completionOf(PARIS));
    const params = paramsOf(user, message);
    expect(recollection.restore("a", params)).toBe(params);
  });

  it.each<[string, Message, string]>([
    ["blanks and order", PARIS, '{ "days": [1, 2.0], "city": "P\\u0061ris" }'],
    ["an empty object", { ...asked("look", ""), reasoningContent: "hm" }, "{}"],
  ])("knows a call again whose client wrote its arguments anew: %s", (_what, said, args) => {
    const recollection = createRecollection();
    recollection.remember("a", completionOf(said));
    const [message] = restore(recollection, asked("look", args));
    expect(message?.reasoningContent).toBe(said.reasoningContent);
  });

  it("knows a call of a custom tool by its input", () => {
    const recollection = createRecollection();
    const said = (input: string) =>
      assistant({ toolCalls: [{ id: "call_0", kind: { case: "custom", value: { name: "run", input } } }] });
    recollection.remember("a", completionOf({ ...said("ls"), reasoningContent: "hm" }));
    const [same] = restore(recollection, said("ls"));
    const [other] = restore(recollection, said("pwd"));
    expect([same?.reasoningContent, other?.reasoningContent]).toEqual(["hm", undefined]);
  });

  it("finds a message by any of its calls", () => {
    const recollection = createRecollection();
    recollection.remember("a", completionOf(FULL));
    const [message] = restore(recollection, assistant({ toolCalls: [call("call_2")] }));
    expect(message?.reasoningDetails).toEqual(FULL.reasoningDetails);
  });

  it("knows the messages of all choices apart", () => {
    const recollection = createRecollection();
    const other = assistant({ reasoningContent: "other", toolCalls: [call("call_3")] });
    recollection.remember("a", completionOf(FULL, other));
    expect(restore(recollection, stripped(other), stripped(FULL))).toEqual([other, FULL]);
  });

  it("forgets after a while", async () => {
    const recollection = createRecollection({ ttlMs: 1 });
    recollection.remember("a", completionOf(FULL));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const params = paramsOf(stripped(FULL));
    expect(recollection.restore("a", params)).toBe(params);
  });
});

describe("remember()", () => {
  it.each<[string, Message]>([
    ["nothing but calls", assistant({ toolCalls: [call("call_1")] })],
    ["reasoning without calls", assistant({ reasoningContent: "hm" })],
    ["a call without an id", assistant({ reasoningContent: "hm", toolCalls: [call("")] })],
  ])("keeps nothing of %s", (_name, message) => {
    const recollection = createRecollection();
    recollection.remember("a", completionOf(message));
    const params = paramsOf(stripped(message));
    expect(recollection.restore("a", params)).toBe(params);
  });

  it("keeps the last ones where there is no room for all, and none that is too large", () => {
    const recollection = createRecollection({ maxBytes: 100_000 });
    const messages = Array.from({ length: 100 }, (_, index) =>
      assistant({ reasoningContent: "x".repeat(2_000), toolCalls: [call(`call_${index}`)] }),
    );
    for (const message of messages) recollection.remember("a", completionOf(message));
    const kept = restore(recollection, ...messages.map(stripped)).map((it) => it.reasoningContent !== undefined);
    const count = kept.filter(Boolean).length;
    expect(count).toBeGreaterThan(10);
    expect(count * 4_000).toBeLessThanOrEqual(100_000);
    expect(kept.lastIndexOf(false)).toBe(99 - count);

    const large = assistant({ reasoningContent: "x".repeat(50_000), toolCalls: [call("call_large")] });
    recollection.remember("a", completionOf(large));
    expect(restore(recollection, stripped(large))).toEqual([stripped(large)]);
  });
});

describe("listen()", () => {
  const chunk = (
    delta: NonNullable<MessageInitShape<typeof ChatCompletionChunkSchema>["choices"]>[number]["delta"],
    index = 0,
  ) => create(ChatCompletionChunkSchema, { choices: [{ index, ...(delta === undefined ? {} : { delta }) }] });

  const CHUNKS = [
    chunk({ role: Role.ASSISTANT }),
    chunk({ reasoningContent: "Let me", reasoningDetails: [detail(TEXT, { text: "Let me", format: "f", index: 0 })] }),
    chunk({ reasoningContent: " look.", reasoningDetails: [detail(TEXT, { text: " look.", index: 0 })] }),
    chunk({ reasoningDetails: [detail(TEXT, { signature: "c2ln", index: 0 })] }),
    chunk({ reasoningDetails: [detail(ENCRYPTED, { data: "ZGF0", id: "call_1", index: 1 })] }),
    chunk({ content: "I look." }),
    chunk({ toolCalls: [{ index: 0, id: "call_1", function: { name: "look", arguments: "" } }] }),
    chunk({ toolCalls: [{ index: 0, function: { arguments: "{}" } }] }),
    chunk({ toolCalls: [{ index: 1, id: "call_2", function: { name: "look", arguments: "{}" } }] }),
    chunk({ toolCalls: [{ index: 0, extraContent: { google: "signed" } }] }),
    chunk(undefined),
  ];
  const SAID = assistant({
    reasoningContent: "Let me look.",
    reasoningDetails: [
      detail(TEXT, { text: "Let me look.", signature: "c2ln", format: "f", index: 0 }),
      detail(ENCRYPTED, { data: "ZGF0", id: "call_1", index: 1 }),
    ],
    toolCalls: [call("call_1", { google: "signed" }), call("call_2")],
  });

  it("keeps of a stream what the whole answer would have had", () => {
    const recollection = createRecollection();
    const listener = recollection.listen("a");
    for (const it of CHUNKS) listener.push(it);
    listener.finish();
    expect(restore(recollection, stripped(SAID))).toEqual([SAID]);
  });

  it("keeps nothing of a stream that was cut, and leaves its chunks as they were", () => {
    const recollection = createRecollection();
    const before = CHUNKS.map((it) => toJson(ChatCompletionChunkSchema, it));
    const listener = recollection.listen("a");
    for (const it of CHUNKS) listener.push(it);
    const params = paramsOf(stripped(SAID));
    expect(recollection.restore("a", params)).toBe(params);
    expect(CHUNKS.map((it) => toJson(ChatCompletionChunkSchema, it))).toEqual(before);
  });

  it("hears interleaved choices apart", () => {
    const recollection = createRecollection();
    const listener = recollection.listen("a");
    for (const [index, text] of [
      [0, "a"],
      [1, "x"],
      [0, "b"],
      [1, "y"],
    ] as const) {
      listener.push(chunk({ reasoningContent: text }, index));
    }
    for (const index of [1, 0])
      listener.push(chunk({ toolCalls: [{ index: 0, id: `call_${index}`, function: { name: "look" } }] }, index));
    listener.finish();
    const messages = restore(recollection, ...[0, 1].map((it) => assistant({ toolCalls: [call(`call_${it}`)] })));
    expect(messages.map((it) => it.reasoningContent)).toEqual(["ab", "xy"]);
  });

  it.each<[string, MessageShape<typeof ReasoningDetailSchema>[], object[]]>([
    [
      "appends texts, summaries and data of an index",
      [
        detail(SUMMARY, { summary: "a" }),
        detail(ENCRYPTED, { data: "x", index: 1 }),
        detail(SUMMARY, { summary: "b" }),
        detail(ENCRYPTED, { data: "y", index: 1 }),
      ],
      [{ summary: "ab" }, { data: "xy" }],
    ],
    [
      "knows two types on one index apart",
      [detail(SUMMARY, { summary: "a" }), detail(ENCRYPTED, { data: "x", id: "rs_1" })],
      [{ summary: "a" }, { data: "x", id: "rs_1" }],
    ],
    [
      "knows two ids on one index apart",
      [detail(ENCRYPTED, { data: "x", id: "call_1" }), detail(ENCRYPTED, { data: "y", id: "call_2" })],
      [
        { data: "x", id: "call_1" },
        { data: "y", id: "call_2" },
      ],
    ],
    [
      "goes on without a type",
      [detail(TEXT, { text: "a" }), detail(ReasoningDetail_Type.UNSPECIFIED, { text: "b", id: "rs_1" })],
      [{ type: TEXT, text: "ab", id: "rs_1" }],
    ],
    [
      "sets signature, form and unknown keys",
      [
        detail(TEXT, { text: "a", signature: "old", extra: { k: 1 } }),
        detail(TEXT, { signature: "new", format: "f", extra: { l: 2 } }),
      ],
      [{ text: "a", signature: "new", format: "f", extra: { k: 1, l: 2 } }],
    ],
  ])("%s", (_name, parts, expected) => {
    const recollection = createRecollection();
    const listener = recollection.listen("a");
    for (const part of parts) listener.push(chunk({ reasoningDetails: [part] }));
    listener.push(chunk({ toolCalls: [{ index: 0, id: "call_1", function: { name: "look" } }] }));
    listener.finish();
    const [message] = restore(recollection, assistant({ toolCalls: [call("call_1")] }));
    expect(message?.reasoningDetails).toEqual(expected.map((it) => expect.objectContaining(it)));
  });
});

describe("properties", () => {
  const text = fc.string({ maxLength: 20 });
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
  const present = <T extends object>(object: T): T =>
    Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
  const details = fc.array(
    fc.record({
      type: fc.constantFrom(TEXT, SUMMARY, ENCRYPTED),
      text: optional(text),
      summary: optional(text),
      data: optional(text),
      signature: optional(text),
      id: optional(text),
    }),
    { maxLength: 4 },
  );
  const message = fc
    .record({
      reasoningContent: optional(text),
      details,
      extras: fc.array(optional(fc.dictionary(text, text)), { minLength: 1, maxLength: 3 }),
    })
    .map(({ reasoningContent, details: parts, extras }) =>
      assistant(
        present({
          reasoningContent,
          reasoningDetails: parts.map((it, index) => create(ReasoningDetailSchema, present({ ...it, index }))),
          toolCalls: extras.map((extra, index) => call(`call_${index}`, extra)),
        }) as MessageInitShape<typeof MessageSchema>,
      ),
    );

  it("gives back exactly what the message had", () => {
    fc.assert(
      fc.property(message, (full) => {
        const recollection = createRecollection();
        recollection.remember("a", completionOf(full));
        expect(restore(recollection, stripped(full))).toEqual([full]);
      }),
    );
  });

  it("gives back the same of any stream of it", () => {
    fc.assert(
      fc.property(message, fc.integer({ min: 1, max: 7 }), (full, size) => {
        const recollection = createRecollection();
        const listener = recollection.listen("a");
        const pieces = (whole: string): string[] => whole.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [whole];
        const say = (delta: object): void =>
          listener.push(create(ChatCompletionChunkSchema, { choices: [{ index: 0, delta }] }));
        for (const piece of full.reasoningContent === undefined ? [] : pieces(full.reasoningContent)) {
          say({ reasoningContent: piece });
        }
        for (const { $typeName: _, text: said, ...rest } of full.reasoningDetails) {
          say({ reasoningDetails: [said === undefined ? rest : { ...rest, text: "" }] });
          for (const piece of said === undefined ? [] : pieces(said)) {
            say({ reasoningDetails: [{ type: rest.type, index: rest.index, text: piece }] });
          }
        }
        for (const [index, { id, extraContent }] of full.toolCalls.entries()) {
          const extra = extraContent === undefined ? {} : { extraContent };
          say({ toolCalls: [{ index, id, function: { name: "look", arguments: "{" }, ...extra }] });
          say({ toolCalls: [{ index, function: { arguments: "}" } }] });
        }
        listener.finish();
        expect(restore(recollection, stripped(full))).toEqual([full]);
      }),
    );
  });
});

describe("sizeOf()", () => {
  const long = "x".repeat(1_000);
  const size = (init: MessageInitShape<typeof MessageSchema>): number =>
    sizeOf(recalledOf(assistant({ reasoningContent: "", toolCalls: [call("call_1")], ...init })) as Recalled);

  it.each<[string, MessageInitShape<typeof MessageSchema>]>([
    ["the plain reasoning", { reasoningContent: long }],
    ["a text", { reasoningDetails: [detail(TEXT, { text: long })] }],
    ["a summary", { reasoningDetails: [detail(TEXT, { summary: long })] }],
    ["data", { reasoningDetails: [detail(TEXT, { data: long })] }],
    ["a signature", { reasoningDetails: [detail(TEXT, { signature: long })] }],
    ["an id", { reasoningDetails: [detail(TEXT, { id: long })] }],
    ["a form", { reasoningDetails: [detail(TEXT, { format: long })] }],
    ["unknown keys", { reasoningDetails: [detail(TEXT, { extra: { key: long } })] }],
    [
      "what a tool is given",
      { toolCalls: [{ id: "call_1", kind: { case: "function", value: { name: "look", arguments: `{}${long}` } } }] },
    ],
    ["what goes with a call", { toolCalls: [call("call_1", { key: long })] }],
  ])("counts two bytes for each character of %s", (_name, init) => {
    expect(size(init) - size({})).toBeGreaterThanOrEqual(2_000);
  });
});

describe("of()", () => {
  it("gives a tenant nothing of another one's", () => {
    const recollection = createRecollection();
    recollection.of("key_a").remember("a", completionOf(FULL));
    const params = paramsOf(stripped(FULL));
    expect(recollection.of("key_b").restore("a", params)).toBe(params);
    expect(recollection.restore("a", params)).toBe(params);
    expect(recollection.of("key_a").restore("a", params).messages).toEqual([FULL]);
  });
});
