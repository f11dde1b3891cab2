import { clone, create, equals } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { GatewayError } from "../../../src/errors/gateway-error.ts";
import { Role } from "../../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema } from "../../../src/gen/parley/chat/v1/params_pb.ts";
import { createSseReader } from "../../../src/upstream/sse-reader.ts";
import {
  answerTo,
  chunk,
  chunksOf,
  decodeAll,
  type Event,
  encode,
  foldedChoices,
  foldedOf,
  providerOf,
  thrownBy,
} from "./support.ts";

type Piece = readonly [index: number | undefined, id: string | undefined, name: string | undefined, args: string];

/** Deltas with these pieces of calls; a list of pieces is one delta. */
const calls = (deltas: readonly (readonly Piece[])[]): Event[] => [
  ...deltas.map((pieces) =>
    chunk({
      tool_calls: pieces.map(([index, id, name, args]) => ({
        index,
        id,
        type: "function",
        function: { name, arguments: args },
      })),
    }),
  ),
  chunk({}, "tool_calls"),
  "[DONE]",
];

/** Ids, names and arguments of the calls of a stream. */
function callsOf(events: readonly Event[]): string[] {
  const message = foldedOf("generic", events).choices[0]?.message;
  return (message?.toolCalls ?? []).map(({ id, kind }) =>
    kind.case === "function" ? `${id} ${kind.value.name} ${kind.value.arguments}` : "",
  );
}

const bodyOf = (vendor: string, request: object) => JSON.parse(encode(providerOf(vendor), request).request.body ?? "");
const toolCall = (id: string) => ({ id, type: "function", function: { name: "f", arguments: "{}" } });
const result = (tool_call_id: string, content = "r") => ({ role: "tool", tool_call_id, content });

describe("edge case 1", () => {
  it("edge case 1: a turn that only calls tools has null for its content", () => {
    for (const content of ["", [], [{ type: "text", text: "" }]]) {
      const messages = [{ role: "assistant", content, tool_calls: [toolCall("a")] }, result("a")];
      expect(bodyOf("openai", { model: "m", messages }).messages[0].content).toBeNull();
    }
  });

  it("edge case 1: a turn that says nothing at all has an empty text", () => {
    for (const content of [null, "", []]) {
      const messages = [{ role: "assistant", content, reasoning_content: "hm" }];
      expect(bodyOf("openai", { model: "m", messages }).messages).toEqual([{ role: "assistant", content: "" }]);
    }
  });

  it("edge case 1: empty texts beside others are left out, blank ones stay", () => {
    const content = [
      { type: "text", text: "" },
      { type: "text", text: "a" },
      { type: "text", text: " " },
    ];
    const messages = [{ role: "user", content }];
    expect(bodyOf("generic", { model: "m", messages }).messages[0].content).toEqual(content.slice(1));
  });
});

describe("edge case 2", () => {
  it("edge case 2: a call without a result gets one before the next message, and a result without a call is left out", () => {
    const messages = [
      { role: "assistant", content: null, tool_calls: [toolCall("a"), toolCall("b")] },
      result("b"),
      result("zzz"),
      { role: "user", content: "go on" },
    ];
    const encoded = encode(providerOf("openai"), { model: "m", messages });
    expect(JSON.parse(encoded.request.body ?? "").messages).toEqual([
      messages[0],
      result("b"),
      result("a", "no result provided"),
      messages[3],
    ]);
    expect(encoded.adjustments.map(({ path }) => path)).toEqual(["messages[2]", "messages[0].tool_calls[0]"]);
  });
});

describe("edge case 3", () => {
  it("edge case 3: results of parallel calls follow their turn in whatever order, each once, and text comes after", () => {
    const turn = { role: "assistant", content: null, tool_calls: ["a", "b", "c"].map(toolCall) };
    const after = { role: "user", content: "So?" };
    const messages = [turn, result("c", "3"), result("a", "1"), result("a", "again"), after, result("b", "late")];
    const encoded = encode(providerOf("generic"), { model: "m", messages });
    expect(JSON.parse(encoded.request.body ?? "").messages).toEqual([
      turn,
      result("c", "3"),
      result("a", "1"),
      result("b", "no result provided"),
      after,
    ]);
    expect(encoded.adjustments.map(({ path }) => path)).toEqual([
      "messages[3]",
      "messages[0].tool_calls[1]",
      "messages[5]",
    ]);
  });

  it("edge case 3: pictures among results do not come between them", () => {
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
    const turn = { role: "assistant", content: null, tool_calls: ["a", "b"].map(toolCall) };
    const messages = [turn, { ...result("a"), content: [image] }, result("b")];
    expect(bodyOf("generic", { model: "m", messages }).messages).toEqual([
      turn,
      result("a", ""),
      result("b"),
      { role: "user", content: [image] },
    ]);
  });
});

describe("edge case 4", () => {
  it("edge case 4: ids that every family takes pass, others are mapped alike in call and result", () => {
    const long = "x".repeat(41);
    const ids = ["call_1", "functions.Bash:0", long];
    const messages = [
      { role: "assistant", content: null, tool_calls: ids.map(toolCall) },
      ...ids.map((id) => result(id)),
    ];
    const sent = bodyOf("openai", { model: "m", messages }).messages;
    const rendered = sent[0].tool_calls.map(({ id }: { id: string }) => id);
    expect(rendered).toEqual([
      "call_1",
      expect.stringMatching(/^functionsBash0_[0-9a-f]{8}$/),
      expect.stringMatching(/^x{31}_[0-9a-f]{8}$/),
    ]);
    expect(sent.slice(1).map((message: { tool_call_id: string }) => message.tool_call_id)).toEqual(rendered);
    expect(bodyOf("openai", { model: "m", messages }).messages).toEqual(sent);
  });

  it("edge case 4: ids that came twice in a turn are made different, in order", () => {
    const messages = [
      { role: "assistant", content: null, tool_calls: [toolCall("a"), toolCall("a")] },
      result("a", "1"),
      result("a", "2"),
    ];
    const [turn, first, second] = bodyOf("openai", { model: "m", messages }).messages;
    expect(turn.tool_calls.map(({ id }: { id: string }) => id)).toEqual([first.tool_call_id, second.tool_call_id]);
    expect([first.content, second.content]).toEqual(["1", "2"]);
    expect(first.tool_call_id).not.toBe(second.tool_call_id);
  });

  it("edge case 4: Mistral gets nine letters and digits", () => {
    const ids = ["g6fVbXS8K", "call_abcdefghijkl", "::"];
    const messages = [
      { role: "assistant", content: null, tool_calls: ids.map(toolCall) },
      ...ids.map((id) => result(id)),
    ];
    const sent = bodyOf("mistral", { model: "m", messages }).messages[0].tool_calls.map(({ id }: { id: string }) => id);
    expect(sent).toEqual([
      "g6fVbXS8K",
      expect.stringMatching(/^c[0-9a-f]{8}$/),
      expect.stringMatching(/^c[0-9a-f]{8}$/),
    ]);
  });

  it("edge case 4: an answer's id that not every family takes is made anew", () => {
    expect(callsOf(calls([[[0, "", "f", "{}"]], [[1, "functions.f:1", "f", "{}"]], [[2, "ok", "f", "{}"]]]))).toEqual([
      "call_new1 f {}",
      "call_new2 f {}",
      "ok f {}",
    ]);
  });
});

describe("edge case 5", () => {
  it("edge case 5: a call without arguments has an empty object", () => {
    expect(callsOf(calls([[[0, "a", "f", ""]], [[0, undefined, undefined, ""]]]))).toEqual(["a f {}"]);
    expect(foldedChoices("openai", [chunk({ function_call: { name: "f" } }, "function_call"), "[DONE]"])).toMatchObject(
      [{ message: { function_call: { name: "f", arguments: "{}" } } }],
    );
  });
});

describe("edge case 5, in requests", () => {
  it("edge case 5: arguments that nobody wrote are an empty object", () => {
    for (const written of ["", " "]) {
      const messages = [
        {
          role: "assistant",
          content: null,
          tool_calls: [{ ...toolCall("a"), function: { name: "f", arguments: written } }],
        },
        result("a"),
        { role: "assistant", content: null, function_call: { name: "f", arguments: written } },
      ];
      const [turn, , legacy] = bodyOf("openai", { model: "m", messages }).messages;
      expect([turn.tool_calls[0].function.arguments, legacy.function_call.arguments]).toEqual(["{}", "{}"]);
    }
  });

  it("edge case 5: what is no JSON goes as it is", () => {
    const messages = [
      {
        role: "assistant",
        content: null,
        tool_calls: [{ ...toolCall("a"), function: { name: "f", arguments: '{"a' } }],
      },
      result("a"),
    ];
    expect(bodyOf("openai", { model: "m", messages }).messages[0].tool_calls[0].function.arguments).toBe('{"a');
  });
});

describe("edge case 6", () => {
  const both = ['a f {"x":1}', 'b g {"y":2}'];
  it.each<readonly [string, readonly (readonly Piece[])[]]>([
    ["all on index 0", [[[0, "a", "f", '{"x":1}']], [[0, "b", "g", '{"y":']], [[0, undefined, undefined, "2}"]]]],
    [
      "all on index 0 of one delta",
      [
        [
          [0, "a", "f", '{"x":1}'],
          [0, "b", "g", '{"y":2}'],
        ],
      ],
    ],
    [
      "no index",
      [[[undefined, "a", "f", '{"x":']], [[undefined, undefined, undefined, "1}"]], [[undefined, "b", "g", '{"y":2}']]],
    ],
    ["starting at 1", [[[1, "a", "f", '{"x":1}']], [[2, "b", "g", '{"y":']], [[2, undefined, undefined, "2}"]]]],
    ["block indexes", [[[3, "a", "f", '{"x":1}']], [[7, "b", "g", '{"y":2}']]]],
    [
      "a new id for each piece's repeat",
      [[[0, "a", "f", '{"x":']], [[0, "a", undefined, "1}"]], [[0, "b", "g", '{"y":2}']]],
    ],
  ])("edge case 6: indexes count from 0: %s", (_what, deltas) => {
    expect(callsOf(calls(deltas))).toEqual(both);
    const indexes = decodeAll("generic", calls(deltas)).flatMap(({ choices }) =>
      choices.flatMap(({ delta }) => delta?.toolCalls.filter(({ id }) => id).map(({ index }) => index) ?? []),
    );
    expect(indexes).toEqual([0, 1]);
  });

  it("edge case 6: whole calls without ids and indexes are calls of their own", () => {
    const none = undefined;
    expect(
      callsOf(
        calls([
          [
            [none, none, "f", "{}"],
            [none, none, "f", "{}"],
          ],
          [[none, none, "f", '{"x":1}']],
        ]),
      ),
    ).toEqual(["call_new1 f {}", "call_new2 f {}", 'call_new3 f {"x":1}']);
  });

  it("edge case 6: names that are repeated on each piece open nothing", () => {
    expect(callsOf(calls([[[0, undefined, "f", '{"x":']], [[0, undefined, "f", "1}"]]]))).toEqual([
      'call_new1 f {"x":1}',
    ]);
  });
});

describe("edge case 7", () => {
  it("edge case 7: pieces of two calls may alternate", () => {
    const deltas: Piece[][] = [
      [[0, "a", "f", ""]],
      [[1, "b", "g", ""]],
      [[0, undefined, undefined, '{"x":']],
      [[1, undefined, undefined, '{"y":']],
      [
        [0, undefined, undefined, "1}"],
        [1, undefined, undefined, "2}"],
      ],
    ];
    expect(callsOf(calls(deltas))).toEqual(['a f {"x":1}', 'b g {"y":2}']);
  });

  it("edge case 7: and so may choices", () => {
    const piece = (index: number, id: string | undefined, args: string) => ({
      choices: [{ index, delta: { tool_calls: [{ index: 0, id, function: { name: id && "f", arguments: args } }] } }],
    });
    const ends = [1, 0].map((index) => ({ choices: [{ index, delta: {}, finish_reason: "tool_calls" }] }));
    const events = [
      piece(1, "b", ""),
      piece(0, "a", "{"),
      piece(1, undefined, "{}"),
      piece(0, undefined, "}"),
      ...ends,
      "[DONE]",
    ];
    expect(foldedChoices("openai", events, 2)).toMatchObject([
      { index: 0, message: { tool_calls: [{ id: "a", function: { arguments: "{}" } }] }, finish_reason: "tool_calls" },
      { index: 1, message: { tool_calls: [{ id: "b", function: { arguments: "{}" } }] }, finish_reason: "tool_calls" },
    ]);
  });
});

describe("edge case 8", () => {
  it("edge case 8: text, calls, finish and usage in one delta come apart", () => {
    const all = {
      ...chunk({ content: "a", tool_calls: [{ id: "c", function: { name: "f", arguments: "{}" } }] }, "tool_calls"),
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    };
    const said = decodeAll("mistral", [all, "[DONE]"]).map(({ choices: [choice], usage }) => [
      choice?.delta?.content,
      choice?.delta?.toolCalls.length,
      choice?.finishReason !== 0,
      usage !== undefined,
    ]);
    expect(said).toEqual([
      ["a", 0, false, false],
      [undefined, 1, false, false],
      [undefined, 0, true, true],
    ]);
  });
});

describe("edge case 9", () => {
  const usage = (count: number) => ({ usage: { prompt_tokens: 1, completion_tokens: count, total_tokens: 1 + count } });
  it.each<readonly [string, readonly Event[]]>([
    ["on the finish chunk", [chunk({ content: "a" }), { ...chunk({}, "stop"), ...usage(3) }, "[DONE]"]],
    [
      "cumulative on every chunk",
      [
        { ...chunk({ content: "a" }), ...usage(1) },
        { ...chunk({}, "stop"), ...usage(3) },
      ],
    ],
    [
      "twice, with nulls after it",
      [
        { ...chunk({ content: "a" }, "stop"), ...usage(3) },
        { choices: [], ...usage(3) },
        { choices: [], usage: null },
        "[DONE]",
      ],
    ],
    ["without choices at all", [chunk({ content: "a" }, "stop"), { ...usage(3) }, "[DONE]"]],
  ])("edge case 9: the last usage counts: %s", (_where, events) => {
    const chunks = decodeAll("generic", events);
    expect(chunks.filter((one) => one.usage !== undefined)).toEqual(chunks.slice(-1));
    expect(chunks.at(-1)?.usage).toMatchObject({ promptTokens: 1, completionTokens: 3, totalTokens: 4 });
  });
});

describe("edge case 10", () => {
  const counts = (prompt: number, completion: number, total: number, details?: object | null) => ({
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: total,
    completion_tokens_details: details,
  });
  it.each<readonly [string, object, object]>([
    [
      "reasoning beside the completion",
      counts(10, 10, 297, { reasoning_tokens: 277 }),
      { completionTokens: 287, totalTokens: 297, completionTokensDetails: { reasoningTokens: 277 } },
    ],
    [
      "reasoning within it",
      counts(10, 287, 297, { reasoning_tokens: 277 }),
      { completionTokens: 287, totalTokens: 297, completionTokensDetails: { reasoningTokens: 277 } },
    ],
    [
      "reasoning in the total only",
      counts(35, 12, 109),
      { completionTokens: 74, totalTokens: 109, completionTokensDetails: { reasoningTokens: 62 } },
    ],
    ["a total that is less than its parts", counts(5, 6, 7, null), { completionTokens: 6, totalTokens: 11 }],
    ["no total", { prompt_tokens: 5, completion_tokens: 6 }, { completionTokens: 6, totalTokens: 11 }],
  ])("edge case 10: total is prompt and completion: %s", (_what, usage, expected) => {
    const revised = { ...counts(1000, 1, 1001), prompt_tokens_details: { cached_tokens: 900 } };
    const events = [{ ...chunk({ content: "a" }), usage: revised }, { ...chunk({}, "stop"), usage }, "[DONE]"];
    const folded = foldedOf("xai", events).usage;
    expect(folded).toMatchObject({ ...expected, promptTokensDetails: { cachedTokens: 0 } });
    const choices = [{ index: 0, message: { content: "a" }, finish_reason: "stop" }];
    const { usage: whole } = encode(providerOf("xai"), {
      model: "m",
      messages: [{ role: "user", content: "a" }],
    }).decodeResponse(JSON.stringify({ choices, usage }));
    expect(whole).toMatchObject(expected);
  });
});

describe("edge case 11", () => {
  it.each<readonly [string, readonly Event[], string]>([
    [
      "repeated",
      [chunk({ content: "a" }, "length"), chunk({}, "length"), chunk({ content: "b" }, "stop"), "[DONE]"],
      "length",
    ],
    ["missing before [DONE]", [chunk({ content: "a" }), "[DONE]"], "stop"],
    ["missing before [DONE], with calls", [chunk({ tool_calls: [toolCall("a")] }), "[DONE]"], "tool_calls"],
    ["empty", [chunk({ content: "a" }, ""), "[DONE]"], "stop"],
    ["foreign", [chunk({ content: "a" }, "eos"), "[DONE]"], "stop"],
    ["too long in another's words", [chunk({ content: "a" }, "max_tokens"), "[DONE]"], "length"],
    ["said with a reason of its own", [chunk({ content: "a" }, "content_filter: SAFETY"), "[DONE]"], "content_filter"],
    ["a word that all objects have", [chunk({ content: "a" }, "constructor"), "[DONE]"], "stop"],
    ["without [DONE]", [chunk({ content: "a" }, "stop")], "stop"],
  ])("edge case 11: one finish, at the end: %s", (_what, events, reason) => {
    const chunks = chunksOf("generic", events) as { choices: { finish_reason?: string }[] }[];
    const finishes = chunks.map(({ choices }) => choices[0]?.finish_reason);
    expect(finishes.filter(Boolean)).toEqual([reason]);
    expect(finishes.at(-1)).toBe(reason);
  });

  it("edge case 11: [DONE] after thoughts only is no end", () => {
    expect(thrownBy(() => chunksOf("generic", [chunk({ reasoning: "hm" }), "[DONE]"])).reasonName).toBe(
      "UPSTREAM_STREAM_INTERRUPTED",
    );
  });
});

/** The error that a stream ends with; it has to be the same when the stream is asked for its end. */
function failureOf(event: { event?: string; data: object | string }, before: readonly Event[] = []): GatewayError {
  const decoder = encode(
    providerOf("openrouter"),
    { model: "m", messages: [{ role: "user", content: "a" }] },
    true,
  ).createStreamDecoder();
  for (const data of before) decoder.push({ event: undefined, data: JSON.stringify(data) });
  const data = typeof event.data === "string" ? event.data : JSON.stringify(event.data);
  const error = thrownBy(() => decoder.push({ event: event.event, data }));
  expect(thrownBy(() => decoder.finish())).toBe(error);
  expect(thrownBy(() => decoder.push({ event: undefined, data: "[DONE]" }))).toBe(error);
  return error;
}

describe("edge case 12", () => {
  it.each([
    [
      "Groq's event",
      { event: "error", data: { error: { message: "m", status_code: 400, failed_generation: "x" } } },
      "INVALID_REQUEST",
    ],
    ["an event that is text", { event: "error", data: "busy" }, "UPSTREAM_ERROR"],
    [
      "OpenRouter's chunk",
      { data: { ...chunk({ content: "" }), error: { code: 502, message: "m" } } },
      "UPSTREAM_INVALID_RESPONSE",
    ],
    ["a whole error", { data: { error: { type: "overloaded_error", message: "m" } } }, "OVERLOADED"],
    ["a string", { data: { error: "m" } }, "UPSTREAM_ERROR"],
    ["a list", { data: [{ error: { code: 429, message: "m" } }] }, "RATE_LIMIT_EXCEEDED"],
    ["vLLM's object", { data: { object: "error", message: "m", code: 400 } }, "INVALID_REQUEST"],
    ["a finish reason", { data: chunk({}, "error") }, "UPSTREAM_ERROR"],
    [
      "a choice's own",
      { data: chunk({ content: "" }, null, { error: { code: 429, message: "m" } }) },
      "RATE_LIMIT_EXCEEDED",
    ],
    ["a word of vLLM", { data: { error: { type: "BadRequestError", message: "m" } } }, "INVALID_REQUEST"],
    ["a word of llama.cpp", { data: { error: { type: "unavailable_error", message: "m" } } }, "OVERLOADED"],
    ["a word of Moonshot", { data: { error: { type: "engine_overloaded_error", message: "m" } } }, "OVERLOADED"],
    ["a word of OpenAI", { data: { error: { code: "server_is_overloaded", message: "m" } } }, "OVERLOADED"],
    ["Anthropic's shape", { data: { type: "error", error: { type: "overloaded_error", message: "m" } } }, "OVERLOADED"],
  ])("edge case 12: an error after 200 is an error: %s", (_what, event, reason) => {
    expect(failureOf(event).reasonName).toBe(reason);
  });

  it("edge case 12: an error that is null is none", () => {
    const events = [{ ...chunk({ content: "a" }), error: null }, chunk({}, "stop", { error: null }), "[DONE]"];
    expect(foldedChoices("generic", events)).toMatchObject([{ message: { content: "a" }, finish_reason: "stop" }]);
  });

  it("edge case 12: also when a finish reason came before it", () => {
    const before = [chunk({ content: "a" }), chunk({ content: "" }, "length")];
    const data = { ...chunk({ content: "" }), error: { code: 400, message: "Token limit reached" } };
    expect(failureOf({ data }, before).message).toBe("up: Token limit reached");
  });
});

describe("edge case 13", () => {
  const events = [
    chunk({ role: "assistant", content: "" }),
    chunk({ content: "a" }),
    chunk({ tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: "{" } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: "}" } }] }),
    chunk({}, "tool_calls"),
    "[DONE]",
  ];

  it("edge case 13: a stream that is cut before its finish reason is no answer", () => {
    for (let length = 0; length < 5; length++) {
      const error = thrownBy(() => chunksOf("openai", events.slice(0, length)));
      expect(error.reasonName).toBe("UPSTREAM_STREAM_INTERRUPTED");
    }
    expect(foldedChoices("openai", events.slice(0, 5))).toEqual(foldedChoices("openai", events));
  });

  it("edge case 13: nor is one with a choice that did not end", () => {
    const one = [chunk({ content: "a" }, "stop")];
    expect(thrownBy(() => chunksOf("openai", one, 2)).reasonName).toBe("UPSTREAM_STREAM_INTERRUPTED");
    const finish = "";
    expect(thrownBy(() => chunksOf("generic", [chunk({ content: "a" }, finish)])).reasonName).toBe(
      "UPSTREAM_STREAM_INTERRUPTED",
    );
  });
});

describe("edge case 14", () => {
  it("edge case 14: a body that is cut anywhere within characters is the same", () => {
    const texts = ["é", "漢", "\u{1F600}", "e\u0301"];
    const body = Buffer.from(
      [...texts.map((content) => chunk({ content })), chunk({}, "stop"), "[DONE]"]
        .map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\r\n\r\n`)
        .join(""),
    );
    for (let at = 0; at <= body.length; at++) {
      const reader = createSseReader("up");
      const events = [...reader.push(body.subarray(0, at)), ...reader.push(body.subarray(at)), ...reader.finish()];
      const said = foldedOf(
        "generic",
        events.map(({ data }) => data),
      ).choices[0]?.message?.content;
      expect(said).toMatchObject([{ kind: { case: "text", value: texts.join("") } }]);
    }
  });
});

describe("edge case 15", () => {
  const emoji = "\u{1F600}";
  const [high, low] = [emoji.slice(0, 1), emoji.slice(1)];

  it("edge case 15: a character that is cut into its halves comes whole", () => {
    const deltas = [high, low].flatMap((half) => [
      chunk({ content: half, reasoning_content: half, refusal: half }),
      chunk({
        tool_calls: [
          {
            index: 0,
            ...(half === high ? { id: "c" } : {}),
            function: { name: half === high ? "f" : undefined, arguments: half },
          },
        ],
      }),
    ]);
    const chunks = decodeAll("generic", [...deltas, chunk({}, "stop"), "[DONE]"]);
    expect(chunks.every((one) => JSON.stringify(one.choices).isWellFormed())).toBe(true);
    expect(foldedChoices("generic", [...deltas, chunk({}, "stop"), "[DONE]"])).toMatchObject([
      {
        message: {
          content: emoji,
          reasoning_content: emoji,
          refusal: emoji,
          tool_calls: [{ function: { arguments: emoji } }],
        },
      },
    ]);
  });

  it("edge case 15: a half that stays alone becomes U+FFFD", () => {
    const events = [
      chunk({ content: `a${high}` }),
      chunk({ content: "b" }),
      chunk({ content: `${low}c${high}` }),
      chunk({}, "stop"),
      "[DONE]",
    ];
    expect(foldedChoices("generic", events)).toMatchObject([{ message: { content: "a\ufffdb\ufffdc\ufffd" } }]);
    const choices = [{ message: { content: high }, finish_reason: "stop" }];
    expect(answerTo("generic", { choices })).toMatchObject({ choices: [{ message: { content: "\ufffd" } }] });
  });

  it("edge case 15: no half of a character goes upstream", () => {
    const sent = bodyOf("openai", { model: "m", messages: [{ role: "user", content: `a${high}` }] });
    expect(sent.messages[0].content).toBe("a\ufffd");
  });

  it("edge case 15: nor in results, arguments, ids, names of keys and what Parley does not know", () => {
    const params = create(ChatCompletionParamsSchema, {
      model: "m",
      messages: [
        {
          role: Role.ASSISTANT,
          toolCalls: [
            { id: `a${high}`, kind: { case: "function", value: { name: "f", arguments: `{"x":"${low}"}` } } },
          ],
        },
        { role: Role.TOOL, toolCallId: `a${high}`, content: [{ kind: { case: "text", value: `r${high}` } }] },
      ],
      metadata: { [`k${high}`]: `v${low}` },
      stop: [`s${low}`],
      extra: { [`k${high}`]: { [`k${low}`]: [`v${high}`] } },
    });
    const body = providerOf("generic").encodeRequest({ model: "m", params, streaming: false, media: new Map() }).request
      .body;
    expect(JSON.stringify(JSON.parse(body ?? ""))).not.toMatch(/\\ud[89a-f]/);
    expect(JSON.parse(body ?? "")).toMatchObject({
      messages: [
        { tool_calls: [{ function: { arguments: '{"x":"\ufffd"}' } }] },
        { content: "r\ufffd", tool_call_id: expect.stringMatching(/^a_[0-9a-f]{8}$/) },
      ],
      metadata: { "k\ufffd": "v\ufffd" },
      stop: "s\ufffd",
      "k\ufffd": { "k\ufffd": ["v\ufffd"] },
    });
  });
});

describe("edge case 16", () => {
  it("edge case 16: data of several lines is one event", () => {
    const events = ['{"choices":[{"index":0,\n"delta":{"content":"a"}}]}', chunk({}, "stop"), "[DONE]\n"];
    expect(foldedChoices("generic", events)).toMatchObject([{ message: { content: "a" } }]);
  });

  it("edge case 16: what follows [DONE] is not read", () => {
    expect(chunksOf("generic", [chunk({ content: "a" }, "stop"), "[DONE]", "nonsense"])).toHaveLength(2);
  });
});

describe("edge case 17", () => {
  const details = [{ type: "reasoning.text", text: "hm", signature: "s", format: "f", index: 0 }];
  const turn = (fields: object) => ({ role: "assistant", content: null, tool_calls: [toolCall("a")], ...fields });
  it.each<readonly [string, string, object, object]>([
    [
      "DeepSeek gets its own",
      "deepseek",
      { reasoning_content: "hm", reasoning_details: details },
      { reasoning_content: "hm" },
    ],
    ["DeepSeek gets what another name has", "deepseek", { reasoning: "hm" }, { reasoning_content: "hm" }],
    ["DeepSeek gets an empty one where it was lost", "deepseek", {}, { reasoning_content: "" }],
    [
      "OpenRouter gets details as they came",
      "openrouter",
      { reasoning_content: "hm", reasoning_details: details },
      { reasoning_details: details },
    ],
    ["OpenAI gets none", "openai", { reasoning: "hm", reasoning_content: "hm", reasoning_details: details }, {}],
    ["nobody else does", "groq", { reasoning: "hm", reasoning_content: "hm", reasoning_details: details }, {}],
  ])("edge case 17: %s", (_who, vendor, given, sent) => {
    const messages = [turn(given), result("a")];
    const encoded = encode(providerOf(vendor), { model: "m", messages });
    expect(JSON.parse(encoded.request.body ?? "").messages[0]).toEqual(turn(sent));
    expect(encoded.adjustments).toEqual([]);
  });
});

describe("edge case 19", () => {
  it("edge case 19: schemas go as they came, key by key, and the caller's stay as they were", () => {
    const schema =
      '{"type":"object","properties":{"z":{"oneOf":[{"const":1},{"$ref":"#/$defs/n"}]},"a":{"type":["string","null"]}},' +
      '"$defs":{"n":{"properties":{"n":{"$ref":"#/$defs/n"}}}},"additionalProperties":{"maximum":12345678901234567890},"x":[-0,1e-400]}';
    const params = create(ChatCompletionParamsSchema, {
      model: "m",
      messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: "a" } }] }],
      tools: [{ kind: { case: "function", value: { name: "f", schema: { case: "parametersJson", value: schema } } } }],
      responseFormat: {
        format: { case: "jsonSchema", value: { name: "s", definition: { case: "schemaJson", value: schema } } },
      },
    });
    const before = clone(ChatCompletionParamsSchema, params);
    for (const vendor of ["openai", "generic", "mistral"]) {
      const { body = "" } = providerOf(vendor).encodeRequest({
        model: "m",
        params,
        streaming: false,
        media: new Map(),
      }).request;
      expect(body.split(schema)).toHaveLength(3);
    }
    expect(equals(ChatCompletionParamsSchema, params, before)).toBe(true);
  });
});

describe("edge case 20", () => {
  it.each([
    [529, "OVERLOADED", true, 3_600_000],
    [501, "NOT_IMPLEMENTED", false, undefined],
  ])("edge case 20: %s is %s, and its delay is passed on, up to an hour, where waiting helps", (...row) => {
    const [status, reason, retryable, delay] = row;
    const header = (name: string) => (name === "retry-after" ? "86400" : undefined);
    const error = providerOf("generic").decodeError({ status, header, body: "", receivedAt: 0 });
    expect([error.reasonName, error.retryable, error.details.retryAfterMs]).toEqual([reason, retryable, delay]);
  });
});
