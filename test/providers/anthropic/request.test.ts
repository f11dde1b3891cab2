import { createHash } from "node:crypto";
import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../../src/errors/gateway-error.ts";
import { bodyOf, createProvider, describeAdjustment, plan } from "./support.ts";

interface Row {
  readonly it: string;
  /** Besides the model and, unless it has its own, a message "Hi". */
  readonly request: JsonObject;
  readonly model?: string;
  /** Besides the model. */
  readonly body: JsonObject;
  readonly adjustments?: string[];
}

const HI = { role: "user", content: [{ type: "text", text: "Hi" }] };
const OLD = "claude-3-5-sonnet-20241022";
const BUDGET = "claude-sonnet-4-5-20250929";
const NEWEST = "claude-opus-5-5";
const plain = { max_tokens: 128_000, messages: [HI] };
const budget = { max_tokens: 64_000, messages: [HI] };
const old = { max_tokens: 8_192, messages: [HI] };
const W = { type: "object", properties: { c: { type: "string" } } };
const w = { type: "function", function: { name: "w", parameters: W } };
const wTool = { name: "w", input_schema: W };
const anything = { type: "object", properties: {} };
const calls = (...args: string[]) =>
  args.map((text, index) => ({
    id: `call_${index + 1}`,
    type: "function",
    function: { name: "w", arguments: text },
  }));

const MESSAGES: readonly Row[] = [
  {
    it: "says a tool loop whole",
    request: {
      max_completion_tokens: 2000,
      reasoning_effort: "low",
      tools: [w],
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Weather in A and B?" },
        {
          role: "assistant",
          content: null,
          reasoning_details: [
            { type: "reasoning.text", text: "…", signature: "S1", format: "anthropic-claude-v1", index: 0 },
          ],
          tool_calls: [
            {
              id: "call_1",
              type: "function",
              function: { name: "w", arguments: '{"c":"A"}' },
              extra_content: { google: { thought_signature: "G1" } },
            },
            { id: "call_2", type: "function", function: { name: "w", arguments: '{"c":"B"}' } },
          ],
        },
        { role: "tool", tool_call_id: "call_1", content: "sun" },
        { role: "tool", tool_call_id: "call_2", content: "rain" },
        { role: "user", content: "So?" },
      ],
    },
    body: {
      max_tokens: 2000,
      thinking: { type: "adaptive", display: "summarized" },
      output_config: { effort: "low" },
      system: [{ type: "text", text: "Be brief." }],
      tools: [wTool],
      messages: [
        { role: "user", content: [{ type: "text", text: "Weather in A and B?" }] },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "…", signature: "S1" },
            { type: "tool_use", id: "call_1", name: "w", input: { c: "A" } },
            { type: "tool_use", id: "call_2", name: "w", input: { c: "B" } },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "call_1", content: "sun" },
            { type: "tool_result", tool_use_id: "call_2", content: "rain" },
            { type: "text", text: "So?" },
          ],
        },
      ],
    },
    adjustments: ["dropped messages[2].tool_calls[0].extra_content.google"],
  },
  {
    it: "keeps each leading instruction a text of its own, and hoists later ones where the model takes none",
    request: {
      messages: [
        { role: "system", content: "A" },
        { role: "developer", content: [{ type: "text", text: "B" }] },
        { role: "user", content: "Hi" },
        { role: "system", content: "C" },
      ],
    },
    body: { ...plain, system: ["A", "B", "C"].map((text) => ({ type: "text", text })) },
    adjustments: ["mapped messages[3]: in its place → before the conversation"],
  },
  {
    it: "leaves later instructions in their place where the model takes them, after the user only",
    model: "claude-opus-4-8",
    request: {
      messages: [
        { role: "user", content: "Hi" },
        { role: "system", content: "A" },
        { role: "system", content: "B" },
        { role: "assistant", content: "Yes" },
        { role: "system", content: "C" },
        { role: "user", content: "Hi" },
      ],
    },
    body: {
      max_tokens: 128_000,
      system: [{ type: "text", text: "C" }],
      messages: [
        HI,
        {
          role: "system",
          content: [
            { type: "text", text: "A" },
            { type: "text", text: "B" },
          ],
        },
        { role: "assistant", content: [{ type: "text", text: "Yes" }] },
        HI,
      ],
    },
    adjustments: ["mapped messages[4]: in its place → before the conversation"],
  },
  {
    it: "joins runs of one role, and drops names",
    request: {
      messages: [
        { role: "user", content: "A", name: "ann" },
        { role: "user", content: "B" },
        { role: "assistant", content: "C" },
        { role: "assistant", content: [{ type: "refusal", refusal: "D" }] },
        { role: "user", content: "E" },
      ],
    },
    body: {
      max_tokens: 128_000,
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "A" },
            { type: "text", text: "B" },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "text", text: "C" },
            { type: "text", text: "D" },
          ],
        },
        { role: "user", content: [{ type: "text", text: "E" }] },
      ],
    },
    adjustments: ["dropped messages[0].name"],
  },
  {
    it: "says images and files by data, by address and by Anthropic's id",
    request: {
      messages: [
        {
          role: "user",
          content: [
            { type: "image_url", image_url: { url: "data:image/jpg;base64,/9j/4AAQ", detail: "high" } },
            { type: "image_url", image_url: { url: "data:image/png;base64,R0lGODlh" } },
            { type: "image_url", image_url: { url: "https://x.example/a.png", detail: "auto" } },
            { type: "file", file: { file_data: "data:application/pdf;base64,JVBERi0x", filename: "a.pdf" } },
            { type: "file", file: { file_data: "JVBERi0x" } },
            { type: "file", file: { file_data: "iVBORw0KGgo=" } },
            { type: "file", file: { file_data: "data:application/octet-stream;base64,JVBERi0x" } },
            { type: "file", file: { file_data: "data:text/plain,a%20b", filename: "a.txt" } },
            { type: "file", file: { file_data: "data:text/csv;base64,YSxi" } },
            { type: "file", file: { file_id: "file_01" } },
          ],
        },
      ],
    },
    body: {
      max_tokens: 128_000,
      messages: [
        {
          role: "user",
          content: [
            { type: "image", source: { type: "base64", media_type: "image/jpeg", data: "/9j/4AAQ" } },
            { type: "image", source: { type: "base64", media_type: "image/gif", data: "R0lGODlh" } },
            { type: "image", source: { type: "url", url: "https://x.example/a.png" } },
            {
              type: "document",
              source: { type: "base64", media_type: "application/pdf", data: "JVBERi0x" },
              title: "a.pdf",
            },
            { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBERi0x" } },
            { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } },
            { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBERi0x" } },
            { type: "document", source: { type: "text", media_type: "text/plain", data: "a b" }, title: "a.txt" },
            { type: "document", source: { type: "text", media_type: "text/plain", data: "a,b" } },
            { type: "document", source: { type: "file", file_id: "file_01" } },
          ],
        },
      ],
    },
    adjustments: [
      "dropped messages[0].content[0].image_url.detail: high",
      "mapped messages[0].content[1].image_url.url: image/png → image/gif",
      "mapped messages[0].content[8].file.file_data: text/csv → text/plain",
    ],
  },
  {
    it: "says results with images, with several texts, empty ones and failures",
    request: {
      tools: [w],
      messages: [
        { role: "user", content: "Hi" },
        { role: "assistant", tool_calls: calls("{}", "{}", "{}", "{}") },
        {
          role: "tool",
          tool_call_id: "call_1",
          content: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } }],
        },
        {
          role: "tool",
          tool_call_id: "call_2",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        },
        { role: "tool", tool_call_id: "call_3", content: "" },
        { role: "tool", tool_call_id: "call_4", content: "no", is_error: true },
      ],
    },
    body: {
      max_tokens: 128_000,
      tools: [wTool],
      messages: [
        HI,
        {
          role: "assistant",
          content: [1, 2, 3, 4].map((at) => ({ type: "tool_use", id: `call_${at}`, name: "w", input: {} })),
        },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "call_1",
              content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } }],
            },
            {
              type: "tool_result",
              tool_use_id: "call_2",
              content: [
                { type: "text", text: "a" },
                { type: "text", text: "b" },
              ],
            },
            { type: "tool_result", tool_use_id: "call_3" },
            { type: "tool_result", tool_use_id: "call_4", content: "no", is_error: true },
          ],
        },
      ],
    },
  },
  {
    it: "keeps numbers of arguments, and wraps what is no object",
    request: {
      tools: [w],
      messages: [
        { role: "user", content: "Hi" },
        { role: "assistant", tool_calls: calls('{"__proto__":{"a":1}}', "{oops", "[1]", " ") },
        ...[1, 2, 3, 4].map((at) => ({ role: "tool", tool_call_id: `call_${at}`, content: "ok" })),
      ],
    },
    body: {
      max_tokens: 128_000,
      tools: [wTool],
      messages: [
        HI,
        {
          role: "assistant",
          content: [JSON.parse('{"__proto__":{"a":1}}'), { _raw: "{oops" }, { value: [1] }, {}].map((input, index) => ({
            type: "tool_use",
            id: `call_${index + 1}`,
            name: "w",
            input,
          })),
        },
        {
          role: "user",
          content: [1, 2, 3, 4].map((at) => ({ type: "tool_result", tool_use_id: `call_${at}`, content: "ok" })),
        },
      ],
    },
    adjustments: [
      "mapped messages[1].tool_calls[1].function.arguments: text → _raw",
      "mapped messages[1].tool_calls[2].function.arguments: value → object",
    ],
  },
  {
    it: "defines the tools of the past where none are given any more",
    request: {
      messages: [
        { role: "user", content: "Hi" },
        { role: "assistant", function_call: { name: "w", arguments: "{}" } },
        { role: "function", name: "w", content: "sun" },
      ],
    },
    body: {
      max_tokens: 128_000,
      tools: [{ name: "w", input_schema: anything }],
      tool_choice: { type: "none" },
      messages: [
        HI,
        { role: "assistant", content: [{ type: "tool_use", id: "call_function_1", name: "w", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "call_function_1", content: "sun" }] },
      ],
    },
    adjustments: ["mapped tools: none → w"],
  },
  {
    it: "continues an answer, without the space at its end",
    model: BUDGET,
    request: {
      messages: [
        { role: "user", content: "Hi" },
        { role: "assistant", content: "So: " },
      ],
    },
    body: { max_tokens: 64_000, messages: [HI, { role: "assistant", content: [{ type: "text", text: "So:" }] }] },
    adjustments: ["dropped messages[1].content"],
  },
  {
    it: "sets the last four cache marks, longer ones first",
    request: {
      prompt_cache_options: { ttl: "5m" },
      messages: [
        ...["A", "B"].map((text) => ({
          role: "system",
          content: [{ type: "text", text, prompt_cache_breakpoint: { mode: "explicit" } }],
        })),
        {
          role: "user",
          content: ["C", "D", "E"].map((text, at) => ({
            type: "text",
            text,
            prompt_cache_breakpoint: { mode: "explicit", ...(at === 1 ? { ttl: "12h" } : {}) },
          })),
        },
      ],
    },
    body: {
      max_tokens: 128_000,
      system: [
        { type: "text", text: "A" },
        { type: "text", text: "B", cache_control: { type: "ephemeral", ttl: "1h" } },
      ],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "C", cache_control: { type: "ephemeral", ttl: "1h" } },
            { type: "text", text: "D", cache_control: { type: "ephemeral", ttl: "1h" } },
            { type: "text", text: "E", cache_control: { type: "ephemeral", ttl: "5m" } },
          ],
        },
      ],
    },
    adjustments: [
      "dropped messages[0].content[0].prompt_cache_breakpoint",
      "mapped messages[1].content[0].prompt_cache_breakpoint.ttl: 5m → 1h",
      "mapped messages[2].content[0].prompt_cache_breakpoint.ttl: 5m → 1h",
      "mapped messages[2].content[1].prompt_cache_breakpoint.ttl: 12h → 1h",
    ],
  },
  {
    it: "knows that a mark of a hoisted instruction comes before those of the conversation",
    request: {
      messages: [
        { role: "system", content: [{ type: "text", text: "A", prompt_cache_breakpoint: { mode: "explicit" } }] },
        {
          role: "user",
          content: [{ type: "text", text: "B", prompt_cache_breakpoint: { mode: "explicit", ttl: "5m" } }],
        },
        {
          role: "system",
          content: [{ type: "text", text: "C", prompt_cache_breakpoint: { mode: "explicit", ttl: "1h" } }],
        },
      ],
    },
    body: {
      max_tokens: 128_000,
      system: ["A", "C"].map((text) => ({ type: "text", text, cache_control: { type: "ephemeral", ttl: "1h" } })),
      messages: [
        { role: "user", content: [{ type: "text", text: "B", cache_control: { type: "ephemeral", ttl: "5m" } }] },
      ],
    },
    adjustments: [
      "mapped messages[2]: in its place → before the conversation",
      "mapped messages[0].content[0].prompt_cache_breakpoint: 5m → 1h",
    ],
  },
  {
    it: "marks a result that is one text, and five minutes where nothing is said",
    request: {
      tools: [w],
      messages: [
        { role: "user", content: "Hi" },
        { role: "assistant", tool_calls: calls("{}") },
        {
          role: "tool",
          tool_call_id: "call_1",
          content: [{ type: "text", text: "ok", prompt_cache_breakpoint: { mode: "explicit" } }],
        },
      ],
    },
    body: {
      max_tokens: 128_000,
      tools: [wTool],
      messages: [
        HI,
        { role: "assistant", content: [{ type: "tool_use", id: "call_1", name: "w", input: {} }] },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "call_1",
              content: "ok",
              cache_control: { type: "ephemeral", ttl: "5m" },
            },
          ],
        },
      ],
    },
  },
];

const TOOLS: readonly Row[] = [
  {
    it: "says tools of every kind",
    request: {
      tools: [
        { type: "function", function: { name: "a" } },
        { type: "function", function: { name: "b", description: "B", parameters: { properties: {} } } },
        { type: "custom", custom: { name: "c", description: "C" } },
        {
          type: "custom",
          custom: { name: "d", format: { type: "grammar", grammar: { syntax: "regex", definition: "a+" } } },
        },
      ],
    },
    body: {
      ...plain,
      tools: [
        { name: "a", input_schema: anything },
        { name: "b", description: "B", input_schema: anything },
        {
          name: "c",
          description: "C",
          input_schema: {
            type: "object",
            properties: { input: { type: "string" } },
            required: ["input"],
            additionalProperties: false,
          },
        },
        {
          name: "d",
          description: "The input must match this regular expression:\na+",
          input_schema: {
            type: "object",
            properties: { input: { type: "string" } },
            required: ["input"],
            additionalProperties: false,
          },
        },
      ],
    },
    adjustments: ["mapped tools[3].custom.format: grammar → description"],
  },
  ...(
    [
      ["auto", { type: "auto" }],
      ["none", { type: "none" }],
      ["required", { type: "any" }],
      [
        { type: "function", function: { name: "w" } },
        { type: "tool", name: "w" },
      ],
    ] as const
  ).map(([tool_choice, expected]) => ({
    it: `says tool_choice ${JSON.stringify(tool_choice)}`,
    request: { tools: [w], tool_choice },
    body: { ...plain, tools: [wTool], tool_choice: expected },
  })),
  {
    it: "filters by allowed_tools",
    request: {
      tools: [w, { type: "function", function: { name: "x" } }],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "w" } }] },
      },
    },
    body: { ...plain, tools: [wTool], tool_choice: { type: "any" } },
  },
  {
    it: "forbids calls side by side",
    request: { tools: [w], parallel_tool_calls: false },
    body: { ...plain, tools: [wTool], tool_choice: { type: "auto", disable_parallel_tool_use: true } },
  },
  {
    it: "asks in words where a call cannot be forced",
    model: NEWEST,
    request: { tools: [w], tool_choice: "required" },
    body: {
      max_tokens: 128_000,
      system: [{ type: "text", text: "Answer by calling at least one of the tools." }],
      tools: [wTool],
      tool_choice: { type: "auto" },
      messages: [HI],
    },
    adjustments: ["mapped tool_choice: required → auto"],
  },
  {
    it: "says the legacy form",
    request: { functions: [{ name: "w", parameters: W }], function_call: { name: "w" } },
    body: { ...plain, tools: [wTool], tool_choice: { type: "tool", name: "w", disable_parallel_tool_use: true } },
  },
  {
    it: "searches the web",
    request: {
      web_search_options: {
        search_context_size: "low",
        user_location: { type: "approximate", approximate: { city: "Oslo", country: "NO" } },
      },
    },
    body: {
      ...plain,
      tools: [
        {
          type: "web_search_20260318",
          name: "web_search",
          allowed_callers: ["direct"],
          user_location: { type: "approximate", city: "Oslo", country: "NO" },
        },
      ],
    },
    adjustments: ["dropped web_search_options.search_context_size: low"],
  },
  {
    it: "holds the model to the schema of a strict tool, where it can",
    request: {
      tools: [
        {
          type: "function",
          function: {
            name: "a",
            strict: true,
            parameters: { type: "object", properties: { n: { type: "integer", minimum: 1 } } },
          },
        },
        {
          type: "function",
          function: {
            name: "b",
            strict: true,
            parameters: { type: "object", additionalProperties: { type: "string" } },
          },
        },
      ],
    },
    body: {
      ...plain,
      tools: [
        {
          name: "a",
          strict: true,
          input_schema: {
            type: "object",
            properties: { n: { type: "integer", description: "{minimum: 1}" } },
            additionalProperties: false,
          },
        },
        { name: "b", input_schema: { type: "object", additionalProperties: { type: "string" } } },
      ],
    },
    adjustments: [
      "mapped tools[0].function.parameters.properties.n.minimum: 1 → description",
      "dropped tools[1].function.strict: true",
    ],
  },
];

const effort = (model: string, reasoning_effort: string, body: JsonObject, adjustments: string[] = []): Row => ({
  it: `says effort ${reasoning_effort} to ${model}`,
  model,
  request: { reasoning_effort, max_completion_tokens: 10_000 },
  body: { max_tokens: 10_000, messages: [HI], ...body },
  adjustments,
});
const adaptive = (word: string) => ({
  thinking: { type: "adaptive", display: "summarized" },
  output_config: { effort: word },
});
const enabled = (budget_tokens: number) => ({ thinking: { type: "enabled", budget_tokens, display: "summarized" } });

const REASONING: readonly Row[] = [
  effort(OLD, "high", { max_tokens: 8_192 }, [
    "clamped max_completion_tokens: 10000 → 8192",
    "dropped reasoning_effort: high",
  ]),
  effort(BUDGET, "none", { thinking: { type: "disabled" } }),
  effort(BUDGET, "minimal", enabled(1024)),
  effort(BUDGET, "low", enabled(2000)),
  effort(BUDGET, "medium", enabled(5000)),
  effort(BUDGET, "high", enabled(8000)),
  effort(BUDGET, "xhigh", enabled(9500)),
  effort(BUDGET, "max", enabled(9999)),
  effort("claude-opus-4-6", "none", { thinking: { type: "disabled" } }),
  effort("claude-opus-4-6", "minimal", adaptive("low"), ["mapped reasoning_effort: minimal → low"]),
  effort("claude-opus-4-6", "medium", adaptive("medium")),
  effort("claude-opus-4-6", "xhigh", adaptive("high"), ["mapped reasoning_effort: xhigh → high"]),
  effort("claude-opus-4-6", "max", adaptive("max")),
  effort("claude-opus-4-7", "xhigh", adaptive("xhigh")),
  effort(NEWEST, "none", { output_config: { effort: "low" } }, ["mapped reasoning_effort: none → low"]),
  effort("claude-sonnet-5-5", "none", { thinking: { type: "between_tools" } }, [
    "mapped reasoning_effort: none → between_tools",
  ]),
  {
    it: "raises a limit that leaves no room to think",
    model: BUDGET,
    request: { reasoning_effort: "low", max_tokens: 500 },
    body: { max_tokens: 1524, messages: [HI], ...enabled(1024) },
    adjustments: ["clamped max_tokens: 500 → 1524"],
  },
  {
    it: "leaves the answer its tokens where it raised the limit",
    model: BUDGET,
    request: { reasoning_effort: "high", max_tokens: 1024 },
    body: { max_tokens: 2048, messages: [HI], ...enabled(1024) },
    adjustments: ["clamped max_tokens: 1024 → 2048"],
  },
  {
    it: "keeps a budget that is given, and hides thoughts that are not wanted",
    model: BUDGET,
    request: { reasoning: { max_tokens: 3000, exclude: true } },
    body: { ...budget, thinking: { type: "enabled", budget_tokens: 3000, display: "omitted" } },
  },
  {
    it: "makes an effort of a budget where the model takes none",
    model: "claude-opus-4-7",
    request: { thinking: { type: "enabled", budget_tokens: 50_000 } },
    body: { ...plain, ...adaptive("medium") },
    adjustments: ["mapped thinking.budget_tokens: 50000 → medium"],
  },
  {
    it: "hides thoughts in Anthropic's own words",
    request: { thinking: { type: "adaptive", display: "omitted" } },
    body: { ...plain, thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "high" } },
  },
  {
    it: "reports what of an extension is not followed",
    request: { reasoning_effort: "low", reasoning: { effort: "high", summary: "auto" } },
    body: { ...plain, ...adaptive("low") },
    adjustments: ["dropped reasoning.effort", "dropped reasoning.summary"],
  },
  {
    it: "shows thoughts that are wanted",
    request: { include_reasoning: true },
    body: { ...plain, thinking: { type: "adaptive", display: "summarized" } },
  },
  {
    it: "leaves a model that thinks less freedom",
    model: BUDGET,
    request: { reasoning_effort: "max", temperature: 0.5, top_p: 0.5, top_k: 5 },
    body: { ...budget, ...enabled(63_999) },
    adjustments: ["dropped temperature: 0.5", "dropped top_p: 0.5", "dropped top_k: 5"],
  },
];

const NUMBER = { type: "object", properties: { n: { type: "number" } }, required: ["n"], additionalProperties: false };
const MAP = { type: "object", additionalProperties: { type: "string" } };
const schema = (json: JsonObject, more: JsonObject = {}) => ({
  response_format: { type: "json_schema", json_schema: { name: "answer", schema: json, ...more } },
});
const ANSWER = "Gives the answer. Call it once, with the whole answer.";

const FORMATS: readonly Row[] = [
  {
    it: "holds the model to a schema",
    request: schema(NUMBER, { strict: true, description: "A number" }),
    body: {
      ...plain,
      output_config: { format: { type: "json_schema", schema: { description: "A number", ...NUMBER } } },
    },
  },
  {
    it: "has an older model answer by a tool",
    model: OLD,
    request: schema(NUMBER),
    body: {
      ...old,
      tools: [{ name: "answer", description: ANSWER, input_schema: NUMBER }],
      tool_choice: { type: "tool", name: "answer", disable_parallel_tool_use: true },
    },
  },
  {
    it: "has the model answer by a tool where the schema would lose data, beside others",
    request: { ...schema(MAP), tools: [w] },
    body: {
      ...plain,
      tools: [wTool, { name: "answer", description: ANSWER, input_schema: MAP }],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
    },
  },
  {
    it: "asks for a JSON object",
    request: { response_format: { type: "json_object" } },
    body: {
      ...plain,
      system: [
        {
          type: "text",
          text: "Answer with one JSON object and nothing else: no text before or after it, and no Markdown.",
        },
      ],
    },
    adjustments: ["mapped response_format: json_object → system"],
  },
];

const PARAMETERS: readonly Row[] = [
  {
    it: "drops what Anthropic does not have",
    request: {
      frequency_penalty: 1,
      presence_penalty: 0,
      logit_bias: { "1": 2 },
      seed: 7,
      verbosity: "low",
      store: true,
      metadata: { a: "b" },
      prediction: { type: "content", content: "x" },
      prompt_cache_key: "k",
      prompt_cache_options: { mode: "implicit" },
      min_p: 0.1,
    },
    body: plain,
    adjustments: [
      "dropped frequency_penalty: 1",
      "dropped logit_bias",
      "dropped seed: 7",
      "dropped verbosity: low",
      "dropped prediction",
      "dropped store: true",
      "dropped metadata",
      "dropped prompt_cache_key",
      "dropped prompt_cache_options.mode",
      "dropped min_p",
    ],
  },
  {
    it: "passes sampling to models that take it",
    model: OLD,
    request: { temperature: 1.5, top_p: 0.5, top_k: 5, stop: ["a", " "], max_tokens: 5, max_completion_tokens: 7 },
    body: { ...old, max_tokens: 7, temperature: 1, top_p: 0.5, top_k: 5, stop_sequences: ["a"] },
    adjustments: ["dropped max_tokens: 5", "clamped temperature: 1.5 → 1", "dropped stop[1]:  "],
  },
  {
    it: "passes one of temperature and top_p",
    model: BUDGET,
    request: { temperature: 0.5, top_p: 0.5 },
    body: { ...budget, temperature: 0.5 },
    adjustments: ["dropped top_p: 0.5"],
  },
  {
    it: "passes top_p beside a temperature that is so anyway",
    model: BUDGET,
    request: { temperature: 1, top_p: 0.5 },
    body: { ...budget, top_p: 0.5 },
  },
  {
    it: "passes no sampling to models that take none",
    model: NEWEST,
    request: { temperature: 0.5, top_p: 1, top_k: 5 },
    body: plain,
    adjustments: ["dropped temperature: 0.5", "dropped top_k: 5"],
  },
  {
    it: "says nothing about a temperature that is so anyway",
    model: NEWEST,
    request: { temperature: 1 },
    body: plain,
  },
  {
    it: "says who asks, never by name",
    request: { user: "ann@x.example" },
    body: { ...plain, metadata: { user_id: createHash("sha256").update("ann@x.example").digest("hex") } },
  },
  {
    it: "prefers the safe identifier",
    request: { user: "ann", safety_identifier: "5f" },
    body: { ...plain, metadata: { user_id: "5f" } },
    adjustments: ["dropped user"],
  },
  { it: "says the tier auto", request: { service_tier: "auto" }, body: { ...plain, service_tier: "auto" } },
  {
    it: "says the tier default",
    request: { service_tier: "default" },
    body: { ...plain, service_tier: "standard_only" },
  },
  { it: "says the tier fast", request: { service_tier: "fast" }, body: { ...plain, speed: "fast" } },
  {
    it: "drops the tier flex",
    request: { service_tier: "flex" },
    body: plain,
    adjustments: ["dropped service_tier: flex"],
  },
];

describe("encodeRequest()", () => {
  it.each([...MESSAGES, ...TOOLS, ...REASONING, ...FORMATS, ...PARAMETERS])("$it", (row) => {
    const { request, model = "claude-opus-4-6", body, adjustments = [] } = row;
    const call = plan(request, { model });
    expect(call.request.body).toBeDefined();
    expect(bodyOf(call)).toEqual({ model, ...body });
    expect(call.adjustments.map(describeAdjustment)).toEqual(adjustments);
  });

  it("names the model and the stream, and the features that files need", () => {
    const messages = [{ role: "user", content: [{ type: "file", file: { file_id: "file_1", filename: "a.png" } }] }];
    const { request } = plan({ messages }, { streaming: true, config: { beta: ["b"] } });
    expect(request).toMatchObject({
      method: "POST",
      path: "/v1/messages",
      headers: { "anthropic-beta": "b,files-api-2025-04-14" },
    });
    expect(JSON.parse(request.body ?? "")).toEqual({
      model: "claude-opus-4-6",
      stream: true,
      max_tokens: 128_000,
      messages: [{ role: "user", content: [{ type: "image", source: { type: "file", file_id: "file_1" } }] }],
    });
  });

  it("adds the features that a request needs to those that are configured, in either way", () => {
    const config = { beta: ["b"], headers: { "Anthropic-Beta": "h1, h2" } };
    expect(createProvider(config).endpoint.headers).toMatchObject({ "anthropic-beta": "b,h1,h2" });
    expect(plan({ service_tier: "fast" }, { config }).request.headers).toEqual({
      "anthropic-beta": "b,h1,h2,fast-mode-2026-02-01",
    });
  });

  it("names the feature that a fast answer needs", () => {
    expect(plan({ service_tier: "fast" }).request.headers).toEqual({ "anthropic-beta": "fast-mode-2026-02-01" });
  });

  it("keeps numbers that a double cannot hold, and makes halves of characters whole", () => {
    const args = '{"id":12345678901234567890,"x":1e400,"z":-0,"s":"\\ud83d!","t":"\\\\ud83d"}';
    const { request } = plan({
      tools: [w],
      messages: [
        { role: "user", content: "Hi" },
        { role: "assistant", tool_calls: calls(args) },
        { role: "tool", tool_call_id: "call_1", content: "ok" },
      ],
    });
    expect(request.body).toContain(
      '"input":{"id":12345678901234567890,"x":1e400,"z":-0,"s":"\ufffd!","t":"\\\\ud83d"}',
    );
  });

  const media = (part: JsonObject) => ({ messages: [{ role: "user", content: [part] }] });
  it.each<[string, JsonObject, string, string]>([
    ["n", { n: 2 }, "n", "UNSUPPORTED_PARAMETER"],
    ["logprobs", { logprobs: true }, "logprobs", "UNSUPPORTED_PARAMETER"],
    ["audio output", { modalities: ["text", "audio"] }, "modalities", "UNSUPPORTED_PARAMETER"],
    ["screening", { moderation: { model: "m" } }, "moderation", "UNSUPPORTED_PARAMETER"],
    [
      "audio input",
      media({ type: "input_audio", input_audio: { data: "AA==", format: "wav" } }),
      "messages[0].content[0].input_audio",
      "UNSUPPORTED_PARAMETER",
    ],
    [
      "videos",
      media({ type: "video_url", video_url: { url: "https://x.example/v" } }),
      "messages[0].content[0].video_url",
      "UNSUPPORTED_PARAMETER",
    ],
    [
      "files of other vendors",
      media({ type: "file", file: { file_id: "file-abc" } }),
      "messages[0].content[0].file.file_id",
      "UNSUPPORTED_PARAMETER",
    ],
    [
      "files that nobody reads",
      media({ type: "file", file: { file_data: "data:application/zip;base64,AAAA" } }),
      "messages[0].content[0].file.file_data",
      "UNSUPPORTED_VALUE",
    ],
    [
      "data that is none",
      media({ type: "image_url", image_url: { url: "data:image/png;base64,!" } }),
      "messages[0].content[0].image_url.url",
      "INVALID_VALUE",
    ],
    [
      "images of other types",
      media({ type: "image_url", image_url: { url: "data:image/bmp;base64,Qk0=" } }),
      "messages[0].content[0].image_url.url",
      "UNSUPPORTED_VALUE",
    ],
    [
      "images that are others than they say",
      media({ type: "image_url", image_url: { url: "data:image/png;base64,AAAAGGZ0eXBoZWlj" } }),
      "messages[0].content[0].image_url.url",
      "UNSUPPORTED_VALUE",
    ],
    [
      "files that do not say what they are",
      media({ type: "file", file: { file_data: "AAAA" } }),
      "messages[0].content[0].file.file_data",
      "INVALID_VALUE",
    ],
    [
      "spoken history",
      { messages: [{ role: "assistant", audio: { id: "a" } }] },
      "messages[0].audio",
      "UNSUPPORTED_PARAMETER",
    ],
    [
      "an answer that is begun, where the model does not go on",
      {
        messages: [
          { role: "user", content: "Hi" },
          { role: "assistant", content: "So" },
        ],
      },
      "messages[1]",
      "UNSUPPORTED_VALUE",
    ],
    ["instructions alone", { messages: [{ role: "system", content: "S" }] }, "messages", "INVALID_VALUE"],
    [
      "a choice that is not defined",
      { tools: [w], tool_choice: { type: "function", function: { name: "x" } } },
      "tool_choice",
      "INVALID_VALUE",
    ],
    ["a tool that is there twice", { tools: [w, w] }, "tools", "INVALID_VALUE"],
    [
      "a search beside a tool of its name",
      { tools: [{ type: "function", function: { name: "web_search" } }], web_search_options: {} },
      "web_search_options",
      "UNSUPPORTED_PARAMETER",
    ],
  ])("refuses %s", (_what, request, param, reasonName) => {
    expect(() => plan(request)).toThrow(GatewayError);
    expect(() => plan(request)).toThrow(
      expect.objectContaining({ reasonName, details: expect.objectContaining({ param }) }),
    );
  });

  it.each(["claude-haiku-4-5", OLD])("refuses to hold an answer that is begun to a schema: %s", (model) => {
    const begun = {
      messages: [
        { role: "user", content: "Hi" },
        { role: "assistant", content: "{" },
      ],
    };
    expect(() => plan({ ...schema(NUMBER), ...begun }, { model })).toThrow(
      expect.objectContaining({
        reasonName: "UNSUPPORTED_VALUE",
        details: expect.objectContaining({ param: "response_format" }),
      }),
    );
    expect(plan({ response_format: { type: "json_object" }, ...begun }, { model }).request.body).toContain(
      '"text":"{"',
    );
  });

  it("refuses a search before an answer that is held to its schema by a forced call", () => {
    expect(() => plan({ ...schema(MAP), web_search_options: {} })).toThrow(
      expect.objectContaining({
        reasonName: "UNSUPPORTED_PARAMETER",
        details: expect.objectContaining({ param: "web_search_options" }),
      }),
    );
  });

  it.each<[string, JsonObject, string, string]>([
    ["a forced call", { tools: [w], tool_choice: "required", reasoning_effort: "low" }, "tool_choice", BUDGET],
    [
      "an answer that is begun",
      {
        messages: [
          { role: "user", content: "Hi" },
          { role: "assistant", content: "So" },
        ],
        reasoning_effort: "low",
      },
      "reasoning_effort",
      BUDGET,
    ],
    ["an answer by a tool", { ...schema(NUMBER), reasoning_effort: "low" }, "response_format", "claude-sonnet-4-0"],
  ])("refuses to think before %s", (_what, request, param, model) => {
    expect(() => plan(request, { model })).toThrow(
      expect.objectContaining({ reasonName: "UNSUPPORTED_VALUE", details: expect.objectContaining({ param }) }),
    );
  });
});
