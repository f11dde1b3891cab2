import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { createStreamGrammar } from "../../src/gateway/stream-grammar.ts";
import {
  type ChatCompletionChunk,
  ChatCompletionChunkSchema,
  type ChunkChoiceSchema,
  FinishReason,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";

type Choice = MessageInitShape<typeof ChunkChoiceSchema>;

const IDENTITY = { id: "chatcmpl-1", created: 7n, model: "asked-for" };
const chunk = (...choices: Choice[]): ChatCompletionChunk =>
  create(ChatCompletionChunkSchema, { id: "upstream", created: 1n, model: "upstream", choices });

/** What comes out of a stream, each choice in short: "0:role", "0:hi", "0:stop". */
function run(chunks: readonly ChatCompletionChunk[], choices = 1): string[][] {
  const grammar = createStreamGrammar(IDENTITY, choices);
  const out: ChatCompletionChunk[] = [];
  for (const each of chunks) grammar.push(each, out);
  grammar.finish();
  expect(out.map(({ id, created, model }) => ({ id, created, model }))).toEqual(out.map(() => IDENTITY));
  return out.map(({ choices: all }) =>
    all.map(({ index, delta, finishReason }) =>
      [
        `${index}:`,
        delta?.role === Role.ASSISTANT ? "role" : "",
        delta?.content ?? "",
        finishReason === FinishReason.UNSPECIFIED ? "" : FinishReason[finishReason],
      ].join(""),
    ),
  );
}

const { STOP, LENGTH } = FinishReason;

describe("createStreamGrammar()", () => {
  const rows: { name: string; chunks: Choice[][]; choices?: number; out: string[][] }[] = [
    {
      name: "passes a regular stream on",
      chunks: [
        [{ delta: { role: Role.ASSISTANT, content: "" } }],
        [{ delta: { content: "hi" } }],
        [{ delta: {}, finishReason: STOP }],
      ],
      out: [["0:role"], ["0:hi"], ["0:STOP"]],
    },
    {
      name: "adds a role that is missing",
      chunks: [[{ delta: { content: "hi" } }], [{ finishReason: STOP }]],
      out: [["0:rolehi"], ["0:STOP"]],
    },
    {
      name: "says a role once when the provider repeats it",
      chunks: [
        [{ delta: { role: Role.ASSISTANT, content: "a" } }],
        [{ delta: { role: Role.ASSISTANT, content: "b" } }],
        [{ delta: { role: Role.ASSISTANT }, finishReason: STOP }],
      ],
      out: [["0:rolea"], ["0:b"], ["0:STOP"]],
    },
    {
      name: "drops empty deltas",
      chunks: [[{ delta: { content: "a" } }], [{ delta: {} }], [{ delta: { content: "" } }], [{ finishReason: STOP }]],
      out: [["0:rolea"], ["0:STOP"]],
    },
    {
      name: "parts a finish from the text that it came with",
      chunks: [[{ delta: { content: "all" }, finishReason: LENGTH }]],
      out: [["0:roleall"], ["0:LENGTH"]],
    },
    {
      name: "opens a choice that has nothing but an end",
      chunks: [[{ delta: {}, finishReason: STOP }]],
      out: [["0:role"], ["0:STOP"]],
    },
    {
      name: "ignores a finish that comes twice",
      chunks: [[{ delta: { content: "a" } }], [{ finishReason: STOP }], [{ finishReason: STOP }]],
      out: [["0:rolea"], ["0:STOP"]],
    },
    {
      name: "opens the choices in ascending order",
      chunks: [
        [{ index: 1, delta: { content: "b" } }],
        [{ index: 0, delta: { content: "a" } }],
        [
          { index: 0, finishReason: STOP },
          { index: 1, finishReason: STOP },
        ],
      ],
      choices: 2,
      out: [["0:role", "1:roleb"], ["0:a"], ["0:STOP", "1:STOP"]],
    },
  ];
  it.each(rows)("$name", ({ chunks, choices, out }) => {
    expect(
      run(
        chunks.map((each) => chunk(...each)),
        choices,
      ),
    ).toEqual(out);
  });

  it("keeps usage apart and returns the last", () => {
    const grammar = createStreamGrammar(IDENTITY, 1);
    const out: ChatCompletionChunk[] = [];
    const first = chunk({ delta: { content: "a" } });
    first.usage = create(ChatCompletionChunkSchema, { usage: { promptTokens: 1 } }).usage;
    const last = chunk({ finishReason: STOP });
    last.usage = create(ChatCompletionChunkSchema, { usage: { promptTokens: 2 } }).usage;
    grammar.push(first, out);
    grammar.push(last, out);
    expect(grammar.finish()).toMatchObject({ ...IDENTITY, choices: [], usage: { promptTokens: 2, totalTokens: 2 } });
    expect(out.map(({ usage }) => usage)).toEqual([undefined, undefined]);
  });

  it.each([
    ["nothing came", [], 1],
    ["a choice has no finish", [[{ delta: { content: "a" } }]], 1],
    ["one of two choices never came", [[{ delta: { content: "a" }, finishReason: STOP }]], 2],
  ] as [string, Choice[][], number][])("tells that a stream was cut: %s", (_name, chunks, choices) => {
    expect(() =>
      run(
        chunks.map((each) => chunk(...each)),
        choices,
      ),
    ).toThrow(/ended before its answer did/);
  });

  it.each([
    ["text after the end", [[{ delta: { content: "a" }, finishReason: STOP }], [{ delta: { content: "b" } }]]],
    ["a choice that was not asked for", [[{ index: 1, delta: { content: "a" } }]]],
    ["a negative index", [[{ index: -1, delta: { content: "a" } }]]],
  ] as [string, Choice[][]][])("refuses %s", (_name, chunks) => {
    expect(() => run(chunks.map((each) => chunk(...each)))).toThrow(/breaks its own grammar/);
  });

  it("keeps keys that nobody knows, also of a chunk and a choice without news", () => {
    const grammar = createStreamGrammar(IDENTITY, 1);
    const out: ChatCompletionChunk[] = [];
    grammar.push(chunk({ delta: { content: "hi" } }), out);
    grammar.push(chunk({ delta: {}, extra: { score: 1 } }), out);
    grammar.push(Object.assign(chunk({ finishReason: STOP }), { extra: { sources: ["a"] } }), out);
    expect(out.map(({ choices: [choice], extra }) => [choice?.extra, extra])).toEqual([
      [undefined, undefined],
      [{ score: 1 }, undefined],
      [undefined, { sources: ["a"] }],
    ]);
  });

  it("passes no padding on", () => {
    const grammar = createStreamGrammar(IDENTITY, 1);
    const out: ChatCompletionChunk[] = [];
    grammar.push(Object.assign(chunk({ delta: { content: "hi" } }), { obfuscation: "x" }), out);
    grammar.push(Object.assign(chunk({ finishReason: STOP }), { obfuscation: "y", usage: {} }), out);
    expect([...out, grammar.finish()].map((each) => each?.obfuscation)).toEqual([undefined, undefined, undefined]);
  });
});
