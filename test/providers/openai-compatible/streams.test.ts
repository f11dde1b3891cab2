import { describe, expect, it } from "vitest";
import { chunk, chunksOf, type Event, foldedChoices, foldedOf, thrownBy } from "./support.ts";

const call = (
  index: number | undefined,
  id: string | undefined,
  name: string | undefined,
  args: string | undefined,
) => ({
  ...(index === undefined ? {} : { index }),
  ...(id === undefined ? {} : { id, type: "function" }),
  function: { ...(name === undefined ? {} : { name }), ...(args === undefined ? {} : { arguments: args }) },
});
const calls = (...list: object[]) => chunk({ tool_calls: list });
const made = (id: string, name: string, args: string) => ({
  id,
  type: "function",
  function: { name, arguments: args },
});
const message = (fields: object, finish = "stop", more: object = {}) => [
  { index: 0, message: { role: "assistant", content: null, ...fields }, finish_reason: finish, ...more },
];

interface Row {
  readonly title: string;
  readonly vendor?: string;
  /** What the request has besides a message. */
  readonly asked?: object;
  readonly events: readonly Event[];
  /** The choices of the whole answer. */
  readonly choices: object;
}

const ROWS: readonly Row[] = [
  {
    title: "reads OpenAI's stream",
    vendor: "openai",
    events: [
      chunk({ role: "assistant", content: "", refusal: null }),
      chunk({ content: "Hi" }),
      chunk({ content: " you" }),
      chunk({}, "stop"),
      { ...chunk({}), choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
      "[DONE]",
    ],
    choices: message({ content: "Hi you" }),
  },
  {
    title: "drops the leading chunk of Azure",
    vendor: "azure",
    events: [
      { choices: [], created: 0, id: "", model: "", object: "", prompt_filter_results: [{}] },
      chunk({ role: "assistant", content: "a" }, null, { content_filter_results: {} }),
      chunk({}, "stop"),
      "[DONE]",
    ],
    choices: message({ content: "a" }),
  },
  {
    title: "reads reasoning under one of its names",
    events: [
      chunk({ role: "assistant", content: "", reasoning: "hm", reasoning_content: "hm" }),
      chunk({ role: "assistant", content: null, reasoning: " hm" }),
      chunk({ role: "assistant", content: "yes", reasoning_content: "" }),
      chunk({ role: "assistant" }, "stop"),
      "[DONE]",
    ],
    choices: message({ content: "yes", reasoning_content: "hm hm" }),
  },
  {
    title: "reads parts in deltas",
    vendor: "mistral",
    events: [
      chunk({ content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }] }),
      chunk({ content: [{ type: "text", text: "ye" }] }),
      chunk({ content: "s" }, "stop"),
      "[DONE]",
    ],
    choices: message({ content: "yes", reasoning_content: "hm" }),
  },
  {
    title: "tells a call in the legacy form that was asked for in it",
    vendor: "vllm",
    asked: { functions: [{ name: "f" }] },
    events: [
      chunk({ role: "assistant", content: "Wait." }),
      calls(call(0, "c1", "f", "")),
      calls(call(0, undefined, undefined, '{"a":')),
      calls(call(0, undefined, undefined, "1}")),
      chunk({}, "tool_calls"),
      "[DONE]",
    ],
    choices: message({ content: "Wait.", function_call: { name: "f", arguments: '{"a":1}' } }, "function_call", {
      native_finish_reason: "tool_calls",
    }),
  },
  {
    title: "gives a call in the legacy form arguments where there are none",
    vendor: "deepseek",
    asked: { functions: [{ name: "f" }] },
    events: [calls(call(0, "c1", "f", "")), chunk({}, "stop"), "[DONE]"],
    choices: message({ function_call: { name: "f", arguments: "{}" } }, "function_call", {
      native_finish_reason: "stop",
    }),
  },
  {
    title: "reads refusals and legacy calls",
    vendor: "openai",
    events: [
      chunk({ refusal: "No" }),
      chunk({ refusal: "." }),
      chunk({ function_call: { name: "f", arguments: "" } }),
      chunk({ function_call: { name: "f", arguments: '{"a":' } }),
      chunk({ function_call: { arguments: "1}" } }),
      chunk({}, "function_call"),
      "[DONE]",
    ],
    choices: message({ refusal: "No.", function_call: { name: "f", arguments: '{"a":1}' } }, "function_call"),
  },
  {
    title: "reads a custom tool's input",
    vendor: "openai",
    events: [
      calls({ index: 0, id: "c", type: "custom", custom: { name: "m", input: "" } }),
      calls({ index: 0, custom: { input: "4 + " } }),
      calls({ index: 0, custom: { input: "4" } }),
      chunk({}, "tool_calls"),
      "[DONE]",
    ],
    choices: message(
      { tool_calls: [{ id: "c", type: "custom", custom: { name: "m", input: "4 + 4" } }] },
      "tool_calls",
    ),
  },
  {
    title: "waits for the name of a call",
    events: [
      calls(call(0, "a", undefined, "")),
      calls(call(0, undefined, undefined, '{"x":')),
      calls(call(0, undefined, "f", "1}")),
      chunk({}, "tool_calls"),
      "[DONE]",
    ],
    choices: message({ tool_calls: [made("a", "f", '{"x":1}')] }, "tool_calls"),
  },
  {
    title: "does not mind ids and names on each piece",
    events: [
      calls(call(0, "a", "f", '{"x":')),
      calls(call(0, "a", "f", "1")),
      calls(call(undefined, "a", "f", "}")),
      chunk({}, "tool_calls"),
      "[DONE]",
    ],
    choices: message({ tool_calls: [made("a", "f", '{"x":1}')] }, "tool_calls"),
  },
  {
    title: "does not mind nulls where there is nothing, nor a last event that has the whole again",
    vendor: "perplexity",
    events: [
      chunk({ role: "assistant", content: "a", tool_calls: null, function_call: null, audio: null }),
      chunk({ content: "", role: "assistant" }, "stop", {
        message: { role: "assistant", content: "a" },
        logprobs: null,
      }),
    ],
    choices: message({ content: "a" }),
  },
  {
    title: "does not mind empty calls",
    events: [
      chunk({
        content: "a",
        function_call: { name: "", arguments: "" },
        tool_calls: [{ index: 0, id: "", function: { name: "", arguments: "" } }],
      }),
      chunk({}, "stop"),
      "[DONE]",
    ],
    choices: message({ content: "a" }),
  },
  {
    title: "takes a whole message for a delta where there is no other",
    events: [chunk({}), { choices: [{ index: 0, message: { content: "all" }, finish_reason: "stop" }] }, "[DONE]"],
    choices: message({ content: "all" }),
  },
];

describe("createStreamDecoder()", () => {
  it.each(ROWS)("$title", ({ vendor = "generic", asked = {}, events, choices }) => {
    expect(foldedChoices(vendor, events, 1, asked)).toEqual(choices);
  });

  it("makes these chunks", () => {
    const events = [
      chunk({ role: "assistant", content: "a", tool_calls: [call(0, "c1", "f", "{}")] }, "tool_calls"),
      { ...chunk({}), choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } },
      "[DONE]",
    ];
    const frame = { object: "chat.completion.chunk", id: "up-1", created: 0, model: "up-model" };
    expect(chunksOf("openai", events)).toEqual([
      { ...frame, choices: [{ index: 0, delta: { role: "assistant", content: "a" } }] },
      {
        ...frame,
        choices: [
          {
            index: 0,
            delta: { tool_calls: [{ index: 0, id: "c1", type: "function", function: { name: "f", arguments: "{}" } }] },
          },
        ],
      },
      {
        ...frame,
        choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      },
    ]);
  });

  it("numbers citations and images, and keeps log probabilities", () => {
    const citation = { type: "url_citation", url_citation: { start_index: 0, end_index: 1, title: "t", url: "u" } };
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
    const logprobs = { content: [{ token: "a", logprob: -1, bytes: [97], top_logprobs: [] }], refusal: null };
    const [first, second] = chunksOf("generic", [
      chunk({ content: "a", annotations: [citation], images: [image] }, null, { logprobs }),
      chunk({ annotations: [citation], images: [image] }, "stop"),
      "[DONE]",
    ]);
    expect(first).toMatchObject({
      choices: [
        { delta: { annotations: [{ index: 0 }], images: [{ index: 0 }] }, logprobs: { content: [{ token: "a" }] } },
      ],
    });
    expect(second).toMatchObject({ choices: [{ delta: { annotations: [{ index: 1 }], images: [{ index: 1 }] } }] });
  });

  it("numbers the elements of lists that it does not know", () => {
    const [first, second] = chunksOf("generic", [
      chunk({ content: "a", steps: [{ name: "x" }, { name: "y", index: 5 }] }),
      chunk({ content: "b", steps: ["z"] }, "stop"),
      "[DONE]",
    ]);
    const stepsOf = (one: object | undefined) => (one as { choices: { delta: object }[] }).choices[0]?.delta;
    expect(stepsOf(first)).toMatchObject({
      steps: [
        { name: "x", index: 0 },
        { name: "y", index: 5 },
      ],
    });
    expect(stepsOf(second)).toMatchObject({ steps: [{ value: "z", index: 2 }] });
  });

  it("splits thoughts off, wherever their tags are cut", () => {
    const text = " <think>hm < </thin></think>\nyes <think>";
    const config = { quirks: { thinkTags: true } };
    for (let at = 0; at <= text.length; at++) {
      for (let to = at; to <= text.length; to += 3) {
        const pieces = [text.slice(0, at), text.slice(at, to), text.slice(to)];
        const events = [...pieces.map((content) => chunk({ content })), chunk({}, "stop"), "[DONE]"];
        expect(foldedChoices(config, events)).toEqual(
          message({ content: "\nyes <think>", reasoning_content: "hm < </thin>" }),
        );
      }
    }
  });

  it("keeps a text that only looks like a thought", () => {
    const events = [chunk({ content: "<thi" }), chunk({ content: "s" }, "stop"), "[DONE]"];
    expect(foldedChoices({ quirks: { thinkTags: true } }, events)).toEqual(message({ content: "<this" }));
  });

  it("finds the usage of older streams of Groq", () => {
    const x_groq = { usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 } };
    const { usage } = foldedOf("groq", [chunk({ content: "a" }), { ...chunk({}, "stop"), x_groq }, "[DONE]"]);
    expect([usage?.promptTokens, usage?.completionTokens]).toEqual([2, 3]);
  });

  it.each([
    ["an event that is no JSON", ["{"], "UPSTREAM_INVALID_RESPONSE"],
    ["an event that is no object", ["7"], "UPSTREAM_INVALID_RESPONSE"],
    [
      "a choice that was not asked for",
      [{ choices: [{ index: 1, delta: { content: "a" } }] }],
      "UPSTREAM_INVALID_RESPONSE",
    ],
    [
      "a call without a name",
      [calls(call(0, "a", undefined, "{}")), chunk({}, "tool_calls"), "[DONE]"],
      "UPSTREAM_INVALID_RESPONSE",
    ],
    ["an end without an answer", ["[DONE]"], "UPSTREAM_INVALID_RESPONSE"],
    ["nothing", [], "UPSTREAM_STREAM_INTERRUPTED"],
  ])("fails on %s", (_what, events, reason) => {
    expect(thrownBy(() => chunksOf("generic", events)).reasonName).toBe(reason);
  });
});
