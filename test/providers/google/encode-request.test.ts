import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { bodyOf, encode, linesOf, PDF, PNG, WAV } from "./support.ts";

const CONTENTS = [{ role: "user", parts: [{ text: "Hello" }] }];
const TOOL = {
  type: "function",
  function: {
    name: "w",
    description: "Weather",
    parameters: { type: "object", properties: { c: { type: "string" } } },
  },
};
const DECLARED = {
  name: "w",
  description: "Weather",
  parametersJsonSchema: { type: "object", properties: { c: { type: "string" } } },
};
const SCHEMA = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false };
const FORMAT = { type: "json_schema", json_schema: { name: "answer", schema: SCHEMA } };
const image = (url: string, detail?: string) => ({
  type: "image_url",
  image_url: { url, ...(detail ? { detail } : {}) },
});
const user = (...content: JsonObject[]): JsonObject => ({ messages: [{ role: "user", content }] });

interface Row {
  readonly name: string;
  readonly request: JsonObject;
  readonly model?: string;
  /** The body without `contents`, where those are the greeting. */
  readonly body?: JsonObject;
  readonly contents?: JsonObject[];
  readonly adjustments?: string[];
}

const NEW = "gemini-3-flash-preview";
const MIDDLE = "gemini-2.5-flash";
const OLD = "gemini-2.0-flash";

const ROWS: Row[] = [
  { name: "a plain request", request: {} },
  {
    name: "sampling",
    request: { temperature: 0, top_p: 0.5, top_k: 3, max_completion_tokens: 9, stop: ["a", "b"], seed: 7 },
    body: {
      generationConfig: { maxOutputTokens: 9, temperature: 0, topP: 0.5, topK: 3, stopSequences: ["a", "b"], seed: 7 },
    },
  },
  {
    name: "max_tokens beside max_completion_tokens",
    request: { max_tokens: 5, max_completion_tokens: 9 },
    body: { generationConfig: { maxOutputTokens: 9 } },
    adjustments: ["dropped max_tokens"],
  },
  {
    name: "a seed of 64 bits",
    request: { seed: 2 ** 40 + 5 },
    body: { generationConfig: { seed: 5 } },
    adjustments: ["mapped seed: 1099511627781 → 5"],
  },
  {
    name: "a negative seed",
    request: { seed: -1 },
    body: { generationConfig: { seed: 2147483647 } },
    adjustments: ["mapped seed: -1 → 2147483647"],
  },
  {
    name: "penalties where they are taken",
    request: { presence_penalty: 1, frequency_penalty: 0.5 },
    model: OLD,
    body: { generationConfig: { frequencyPenalty: 0.5, presencePenalty: 1 } },
  },
  {
    name: "penalties where they are not",
    request: { presence_penalty: 1, frequency_penalty: 0 },
    model: MIDDLE,
    adjustments: ["dropped presence_penalty"],
  },
  { name: "several answers", request: { n: 2 }, model: MIDDLE, body: { generationConfig: { candidateCount: 2 } } },
  {
    name: "log probabilities",
    request: { logprobs: true, top_logprobs: 2 },
    body: { generationConfig: { responseLogprobs: true, logprobs: 2 } },
  },
  {
    name: "what Gemini does not have",
    request: {
      user: "u",
      store: true,
      metadata: { a: "b" },
      logit_bias: { 1: 2 },
      verbosity: "low",
      prompt_cache_key: "k",
      prediction: { type: "content", content: "x" },
      min_p: 0.1,
    },
    adjustments: [
      "dropped logit_bias",
      "dropped verbosity",
      "dropped prediction",
      "dropped store",
      "dropped metadata",
      "dropped user",
      "dropped prompt_cache_key",
      "dropped min_p",
    ],
  },
  { name: "service_tier default", request: { service_tier: "default" }, body: { serviceTier: "standard" } },
  { name: "service_tier flex", request: { service_tier: "flex" }, body: { serviceTier: "flex" } },
  { name: "service_tier auto", request: { service_tier: "auto" } },
  {
    name: "service_tier fast",
    request: { service_tier: "fast" },
    body: { serviceTier: "priority" },
    adjustments: ["mapped service_tier: fast → priority"],
  },
  {
    name: "extensions",
    request: {
      safety_settings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
      cached_content: "cachedContents/abc",
    },
    body: {
      safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
      cachedContent: "cachedContents/abc",
    },
  },
  // Tools.
  { name: "tools", request: { tools: [TOOL] }, body: { tools: [{ functionDeclarations: [DECLARED] }] } },
  {
    name: "a function without parameters, with a name that Gemini does not take",
    request: {
      tools: [
        { type: "function", function: { name: "1st" } },
        { type: "function", function: { name: "_1st" } },
      ],
    },
    body: { tools: [{ functionDeclarations: [{ name: "__1st" }, { name: "_1st" }] }] },
  },
  {
    name: "tool_choice none",
    request: { tools: [TOOL], tool_choice: "none" },
    body: {
      tools: [{ functionDeclarations: [DECLARED] }],
      toolConfig: { functionCallingConfig: { mode: "NONE" } },
    },
  },
  {
    name: "tool_choice required, and no parallel calls",
    request: { tools: [TOOL], tool_choice: "required", parallel_tool_calls: false },
    body: { tools: [{ functionDeclarations: [DECLARED] }], toolConfig: { functionCallingConfig: { mode: "ANY" } } },
    adjustments: ["dropped parallel_tool_calls"],
  },
  {
    name: "tool_choice by name",
    request: { tools: [TOOL], tool_choice: { type: "function", function: { name: "w" } } },
    body: {
      tools: [{ functionDeclarations: [DECLARED] }],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["w"] } },
    },
  },
  {
    name: "allowed tools, of which none must be called",
    request: {
      tools: [TOOL, { type: "function", function: { name: "x" } }],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "w" } }] },
      },
    },
    body: { tools: [{ functionDeclarations: [DECLARED] }], toolConfig: { functionCallingConfig: { mode: "AUTO" } } },
  },
  {
    name: "allowed tools, of which one must be called",
    request: {
      tools: [TOOL, { type: "function", function: { name: "x" } }],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "w" } }] },
      },
    },
    body: {
      tools: [{ functionDeclarations: [DECLARED, { name: "x" }] }],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["w"] } },
    },
  },
  {
    name: "a strict function",
    request: { tools: [{ type: "function", function: { name: "s", strict: true, parameters: SCHEMA } }] },
    body: {
      tools: [{ functionDeclarations: [{ name: "s", parametersJsonSchema: SCHEMA }] }],
      toolConfig: { functionCallingConfig: { mode: "VALIDATED" } },
    },
  },
  {
    name: "a custom tool with a grammar",
    request: {
      tools: [
        {
          type: "custom",
          custom: {
            name: "c",
            description: "D",
            format: { type: "grammar", grammar: { syntax: "regex", definition: "a+" } },
          },
        },
      ],
    },
    body: {
      tools: [
        {
          functionDeclarations: [
            {
              name: "c",
              description: "D\n\nThe input must match this regular expression:\na+",
              parametersJsonSchema: { type: "object", properties: { input: { type: "string" } }, required: ["input"] },
            },
          ],
        },
      ],
    },
    adjustments: ["mapped tools[0].custom.format: grammar → description"],
  },
  {
    name: "functions of the legacy form",
    request: { functions: [TOOL.function], function_call: { name: "w" } },
    body: {
      tools: [{ functionDeclarations: [DECLARED] }],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["w"] } },
    },
  },
  {
    name: "the search",
    request: { web_search_options: { search_context_size: "low" } },
    body: { tools: [{ googleSearch: {} }] },
    adjustments: ["dropped web_search_options.search_context_size"],
  },
  {
    name: "the search and tools",
    request: { tools: [TOOL], web_search_options: {} },
    body: {
      tools: [{ functionDeclarations: [DECLARED] }, { googleSearch: {} }],
      toolConfig: { includeServerSideToolInvocations: true },
    },
  },
  // The form of the answer.
  {
    name: "a JSON object",
    request: { response_format: { type: "json_object" } },
    body: { generationConfig: { responseMimeType: "application/json" } },
  },
  {
    name: "a schema",
    request: {
      response_format: {
        type: "json_schema",
        json_schema: { name: "answer", description: "D", strict: true, schema: SCHEMA },
      },
    },
    body: {
      generationConfig: { responseMimeType: "application/json", responseJsonSchema: { ...SCHEMA, description: "D" } },
    },
  },
  {
    name: "a schema, in the older form",
    request: { response_format: FORMAT },
    model: OLD,
    body: {
      generationConfig: {
        responseMimeType: "application/json",
        responseSchema: { type: "OBJECT", properties: { a: { type: "STRING" } }, required: ["a"] },
      },
    },
  },
  {
    name: "a schema and tools",
    request: { response_format: FORMAT, tools: [TOOL], tool_choice: "auto" },
    body: {
      generationConfig: { responseMimeType: "application/json", responseJsonSchema: SCHEMA },
      tools: [{ functionDeclarations: [DECLARED] }],
      toolConfig: { functionCallingConfig: { mode: "AUTO" } },
    },
  },
  {
    name: "a schema and tools, for a model that does not take both",
    request: { response_format: FORMAT, tools: [TOOL] },
    model: MIDDLE,
    body: {
      tools: [
        {
          functionDeclarations: [
            DECLARED,
            {
              name: "answer",
              description: "Gives the final answer to the user. Call it once no other function is needed.",
              parametersJsonSchema: SCHEMA,
            },
          ],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: "ANY" } },
    },
    adjustments: ["mapped response_format: json_schema → a function for the answer"],
  },
  {
    name: "a schema and a forced tool",
    request: { response_format: FORMAT, tools: [TOOL], tool_choice: "required" },
    body: { tools: [{ functionDeclarations: [DECLARED] }], toolConfig: { functionCallingConfig: { mode: "ANY" } } },
    adjustments: ["dropped response_format"],
  },
  // Thinking.
  {
    name: "effort by level",
    request: { reasoning_effort: "low" },
    body: { generationConfig: { thinkingConfig: { thinkingLevel: "LOW", includeThoughts: true } } },
  },
  {
    name: "effort that the model does not have",
    request: { reasoning_effort: "medium" },
    model: "gemini-3-pro-preview",
    body: { generationConfig: { thinkingConfig: { thinkingLevel: "HIGH", includeThoughts: true } } },
    adjustments: ["mapped reasoning_effort: medium → HIGH"],
  },
  {
    name: "no effort, where thinking can't be switched off",
    request: { reasoning_effort: "none" },
    body: { generationConfig: { thinkingConfig: { thinkingLevel: "MINIMAL" } } },
    adjustments: ["mapped reasoning_effort: none → MINIMAL"],
  },
  {
    name: "xhigh by level",
    request: { reasoning_effort: "xhigh" },
    body: { generationConfig: { thinkingConfig: { thinkingLevel: "HIGH", includeThoughts: true } } },
    adjustments: ["mapped reasoning_effort: xhigh → HIGH"],
  },
  {
    name: "effort by budget",
    request: { reasoning_effort: "medium" },
    model: MIDDLE,
    body: { generationConfig: { thinkingConfig: { thinkingBudget: 8192, includeThoughts: true } } },
  },
  {
    name: "no effort by budget",
    request: { reasoning_effort: "none" },
    model: MIDDLE,
    body: { generationConfig: { thinkingConfig: { thinkingBudget: 0 } } },
  },
  {
    name: "no effort of a model that always thinks",
    request: { reasoning_effort: "none" },
    model: "gemini-2.5-pro",
    body: { generationConfig: { thinkingConfig: { thinkingBudget: 128 } } },
    adjustments: ["mapped reasoning_effort: none → 128"],
  },
  {
    name: "most effort by budget",
    request: { reasoning_effort: "max" },
    model: "gemini-2.5-pro",
    body: { generationConfig: { thinkingConfig: { thinkingBudget: 32768, includeThoughts: true } } },
  },
  {
    name: "a budget out of bounds",
    request: { reasoning: { max_tokens: 100, exclude: true } },
    model: "gemini-2.5-flash-lite",
    body: { generationConfig: { thinkingConfig: { thinkingBudget: 512 } } },
    adjustments: ["clamped reasoning.max_tokens: 100 → 512"],
  },
  {
    name: "a budget by level",
    request: { thinking: { type: "enabled", budget_tokens: 2000 } },
    body: { generationConfig: { thinkingConfig: { thinkingLevel: "LOW", includeThoughts: true } } },
    adjustments: ["mapped thinking.budget_tokens: 2000 → LOW"],
  },
  {
    name: "thoughts, without more of them",
    request: { include_reasoning: true },
    body: { generationConfig: { thinkingConfig: { includeThoughts: true } } },
  },
  {
    name: "effort of a model that does not think",
    request: { reasoning_effort: "low" },
    model: OLD,
    adjustments: ["dropped reasoning_effort"],
  },
  // Messages.
  {
    name: "instructions, in two messages and late",
    request: {
      messages: [
        { role: "system", content: "A" },
        { role: "developer", content: "B" },
        { role: "user", content: "Hi", name: "Ann" },
        { role: "system", content: "C" },
      ],
    },
    body: { systemInstruction: { parts: [{ text: "A" }, { text: "B" }, { text: "C" }] } },
    contents: [{ role: "user", parts: [{ text: "Hi" }] }],
    adjustments: ["dropped messages[2].name", "mapped messages[3]: in place → before it"],
  },
  {
    name: "instructions of a model that takes none",
    request: {
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hi" },
      ],
    },
    model: "gemma-3-27b-it",
    contents: [{ role: "user", parts: [{ text: "Be brief.\n\nHi" }] }],
    adjustments: ["mapped messages: system → user"],
  },
  {
    name: "runs of one role, and a beginning of the answer",
    request: {
      messages: [
        { role: "user", content: "A" },
        {
          role: "user",
          content: [
            { type: "text", text: "B" },
            { type: "text", text: "" },
          ],
        },
        { role: "assistant", content: "C" },
        { role: "assistant", content: "D" },
      ],
    },
    contents: [
      { role: "user", parts: [{ text: "A" }, { text: "B" }] },
      { role: "model", parts: [{ text: "C" }, { text: "D" }] },
    ],
  },
  {
    name: "images with their own types, and how closely they are looked at",
    request: user(image(`data:image/jpeg;base64,${PNG}`, "high"), image(`data:image/png;base64,${PNG}`, "low")),
    body: { generationConfig: { mediaResolution: "MEDIA_RESOLUTION_HIGH" } },
    contents: [
      {
        role: "user",
        parts: [
          { inlineData: { mimeType: "image/png", data: PNG } },
          { inlineData: { mimeType: "image/png", data: PNG } },
        ],
      },
    ],
    adjustments: ["mapped messages[0].content[1].image_url.detail: low → high"],
  },
  {
    name: "audio, files and videos",
    request: user(
      { type: "input_audio", input_audio: { data: WAV, format: "mp3" } },
      { type: "file", file: { file_data: `data:application/pdf;base64,${PDF}`, filename: "a.pdf" } },
      { type: "file", file: { file_data: PDF } },
      { type: "file", file: { file_data: "data:text/plain,Hello%20you" } },
      { type: "file", file: { file_id: "files/abc-1" } },
      {
        type: "video_url",
        video_url: { url: "https://www.youtube.com/watch?v=abc" },
        video_metadata: { start_offset: "10s", fps: 2 },
      },
    ),
    contents: [
      {
        role: "user",
        parts: [
          { inlineData: { mimeType: "audio/wav", data: WAV } },
          { inlineData: { mimeType: "application/pdf", data: PDF } },
          { inlineData: { mimeType: "application/pdf", data: PDF } },
          { inlineData: { mimeType: "text/plain", data: "SGVsbG8geW91" } },
          { fileData: { fileUri: "https://generativelanguage.googleapis.com/v1beta/files/abc-1" } },
          {
            fileData: { fileUri: "https://www.youtube.com/watch?v=abc" },
            videoMetadata: { startOffset: "10s", fps: 2 },
          },
        ],
      },
    ],
  },
  {
    name: "what parts carry for others",
    request: user({
      type: "text",
      text: "Hi",
      cache_control: { type: "ephemeral" },
      prompt_cache_breakpoint: { mode: "explicit" },
    }),
    contents: [{ role: "user", parts: [{ text: "Hi" }] }],
    adjustments: [
      "dropped messages[0].content[0].prompt_cache_breakpoint",
      "dropped messages[0].content[0].cache_control",
    ],
  },
];

describe("encodeRequest()", () => {
  it.each(ROWS)("says $name", ({ request, model = NEW, body = {}, contents = CONTENTS, adjustments = [] }) => {
    expect(bodyOf(request, model)).toEqual({ ...body, contents });
    expect(linesOf(encode(request, model).adjustments)).toEqual(adjustments);
  });

  it("says a whole tool loop with signatures, and sends no other provider's", () => {
    const call = encode({
      max_completion_tokens: 2000,
      reasoning_effort: "low",
      tools: [{ type: "function", function: { name: "w", parameters: DECLARED.parametersJsonSchema } }],
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
    });
    expect(call.adjustments).toEqual([]);
    expect(call.request).toEqual({
      method: "POST",
      path: "/models/gemini-3-flash-preview:generateContent",
      body: JSON.stringify({
        systemInstruction: { parts: [{ text: "Be brief." }] },
        generationConfig: { maxOutputTokens: 2000, thinkingConfig: { thinkingLevel: "LOW", includeThoughts: true } },
        tools: [{ functionDeclarations: [{ name: "w", parametersJsonSchema: DECLARED.parametersJsonSchema }] }],
        contents: [
          { role: "user", parts: [{ text: "Weather in A and B?" }] },
          {
            role: "model",
            parts: [
              { functionCall: { name: "w", args: { c: "A" } }, thoughtSignature: "G1" },
              { functionCall: { name: "w", args: { c: "B" } } },
            ],
          },
          {
            role: "user",
            parts: [
              { functionResponse: { name: "w", response: { output: "sun" } } },
              { functionResponse: { name: "w", response: { output: "rain" } } },
            ],
          },
          { role: "user", parts: [{ text: "So?" }] },
        ],
      }),
    });
  });
});
