import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import type { OpenAI } from "openai";
import { describe, expect, it } from "vitest";
import { Role } from "../../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema } from "../../../src/gen/parley/chat/v1/params_pb.ts";
import { Adjustment_Action } from "../../../src/gen/parley/chat/v1/report_pb.ts";
import { decodeJson } from "../../../src/openai-json/decode.ts";
import { encode, providerOf, thrownBy } from "./support.ts";

type Body = OpenAI.ChatCompletionCreateParams;

interface Row {
  readonly title: string;
  readonly vendor: string;
  readonly quirks?: { readonly unsupported: string[] };
  readonly request: object;
  readonly streaming?: boolean;
  /** The exact body; its type is that of OpenAI's own package. */
  readonly body: Body;
  readonly adjustments?: readonly string[];
}

const user: OpenAI.ChatCompletionUserMessageParam = { role: "user", content: "Hi" };
const system: OpenAI.ChatCompletionSystemMessageParam = { role: "system", content: "Be brief." };
const tool = (name: string): OpenAI.ChatCompletionFunctionTool => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: { c: { type: "string" } } } },
});
const call = (id: string, name = "w", args = "{}"): OpenAI.ChatCompletionMessageFunctionToolCall => ({
  id,
  type: "function",
  function: { name, arguments: args },
});
/** Mistral's form of "call_function_1". */
const NINE = `c${createHash("sha256").update("call_function_1").digest("hex").slice(0, 8)}`;
const PNG = "data:image/png;base64,iVBORw0KGgo=";

const EVERYTHING = {
  temperature: 0.5,
  top_p: 0.9,
  frequency_penalty: 0.1,
  presence_penalty: 0.2,
  logit_bias: { "50256": -100 },
  max_completion_tokens: 100,
  stop: ["a", "b"],
  n: 2,
  seed: 7,
  logprobs: true,
  top_logprobs: 3,
  tools: [tool("w")],
  tool_choice: "required",
  parallel_tool_calls: false,
  response_format: { type: "json_schema", json_schema: { name: "s", schema: { type: "object" }, strict: true } },
  modalities: ["text"],
  prediction: { type: "content", content: "x" },
  service_tier: "flex",
  store: true,
  metadata: { a: "b" },
  safety_identifier: "s",
  prompt_cache_key: "k",
  user: "u",
} as const satisfies Partial<Body>;

const ROWS: readonly Row[] = [
  {
    title: "passes everything on that OpenAI knows",
    vendor: "openai",
    request: { model: "gpt-4o", messages: [user], ...EVERYTHING },
    body: {
      model: "gpt-4o",
      messages: [user],
      ...EVERYTHING,
      tools: [...EVERYTHING.tools],
      stop: [...EVERYTHING.stop],
      modalities: ["text"],
    },
  },
  {
    title: "keeps the gateway's own parameters to itself, and asks for the usage of a stream",
    vendor: "openai",
    request: {
      model: "gpt-4o",
      messages: [user],
      stream: true,
      async: false,
      stream_options: { include_usage: false, include_obfuscation: true },
    },
    streaming: true,
    body: { model: "gpt-4o", messages: [user], stream: true, stream_options: { include_usage: true } },
  },
  {
    title: "says the limit of tokens and instructions as reasoning models want them, and leaves sampling out",
    vendor: "openai",
    request: {
      model: "o3",
      messages: [system, user],
      max_tokens: 50,
      temperature: 0.2,
      top_p: 1,
      frequency_penalty: 1,
      stop: "x",
      reasoning_effort: "low",
    },
    body: {
      model: "o3",
      messages: [{ role: "developer", content: "Be brief." }, user],
      max_completion_tokens: 50,
      reasoning_effort: "low",
    },
    adjustments: [
      "DROPPED temperature",
      "DROPPED top_p",
      "DROPPED frequency_penalty",
      "DROPPED stop",
      "MAPPED max_tokens",
    ],
  },
  {
    title: "keeps the temperature where a model is told not to reason",
    vendor: "openai",
    request: { model: "gpt-5.1", messages: [user], temperature: 0.2, logprobs: true, reasoning_effort: "none" },
    body: { model: "gpt-5.1", messages: [user], temperature: 0.2, logprobs: true, reasoning_effort: "none" },
  },
  {
    title: "leaves the temperature out where a model reasons by default",
    vendor: "openai",
    request: { model: "gpt-5.1", messages: [user], temperature: 0.2, prompt_cache_retention: "24h" },
    body: { model: "gpt-5.1", messages: [user], prompt_cache_retention: "24h" },
    adjustments: ["DROPPED temperature"],
  },
  {
    title: "takes a model that is not known for one of the newest",
    vendor: "openai",
    request: { model: "gpt-9-pro", messages: [system, user], max_tokens: 5, prompt_cache_retention: "24h" },
    body: {
      model: "gpt-9-pro",
      messages: [{ role: "developer", content: "Be brief." }, user],
      max_completion_tokens: 5,
    },
    adjustments: ["DROPPED prompt_cache_retention", "MAPPED max_tokens"],
  },
  {
    title: "takes a fine-tuned model for what it was made of",
    vendor: "openai",
    request: { model: "ft:gpt-4o-mini:acme::1", messages: [system, user], temperature: 1, reasoning_effort: "high" },
    body: { model: "ft:gpt-4o-mini:acme::1", messages: [system, user], temperature: 1 },
    adjustments: ["DROPPED reasoning_effort"],
  },
  {
    title: "takes a deployment on Azure whose name says nothing as it is",
    vendor: "azure",
    request: { model: "chat", messages: [system, user], max_tokens: 5, temperature: 1 },
    body: { model: "chat", messages: [system, user], max_tokens: 5, temperature: 1 },
  },
  {
    title: "prefers max_completion_tokens to max_tokens",
    vendor: "openai",
    request: { model: "gpt-4o", messages: [user], max_tokens: 5, max_completion_tokens: 6 },
    body: { model: "gpt-4o", messages: [user], max_completion_tokens: 6 },
    adjustments: ["DROPPED max_tokens"],
  },
  {
    title: "leaves parameters and keys out that OpenAI does not know",
    vendor: "openai",
    request: {
      model: "gpt-4o",
      messages: [
        { ...user, extra_key: 1, content: [{ type: "text", text: "Hi", cache_control: { type: "ephemeral" } }] },
      ],
      top_k: 4,
      min_p: 0.1,
      tools: [{ ...tool("w"), strange: true }],
    },
    body: { model: "gpt-4o", messages: [user], tools: [tool("w")] },
    adjustments: [
      "DROPPED messages[0].content[0].cache_control",
      "DROPPED messages[0].extra_key",
      "DROPPED tools[0].strange",
      "DROPPED top_k",
      "DROPPED min_p",
    ],
  },
  {
    title: "gives OpenAI none of what other APIs add to answers",
    vendor: "openai",
    request: {
      model: "gpt-4o",
      messages: [
        user,
        {
          role: "assistant",
          content: null,
          refusal: "No.",
          reasoning: "r",
          reasoning_content: "r",
          reasoning_details: [{ type: "reasoning.text", text: "r", index: 0 }],
          annotations: [{ type: "url_citation", url_citation: { start_index: 0, end_index: 1, title: "", url: "" } }],
          images: [{ type: "image_url", image_url: { url: PNG }, index: 0 }],
          tool_calls: [{ ...call("call_1"), extra_content: { google: { thought_signature: "g" } } }],
        },
        { role: "tool", tool_call_id: "call_1", content: "sun", is_error: false },
      ],
    },
    body: {
      model: "gpt-4o",
      messages: [
        user,
        { role: "assistant", content: null, refusal: "No.", tool_calls: [call("call_1")] },
        { role: "tool", tool_call_id: "call_1", content: "sun" },
      ],
    },
    adjustments: ["DROPPED messages[1].images"],
  },
  {
    title: "reports that a result is no error any more",
    vendor: "generic",
    request: {
      model: "m",
      messages: [
        user,
        { role: "assistant", content: null, tool_calls: [call("call_1")] },
        { role: "tool", tool_call_id: "call_1", content: "no", is_error: true },
      ],
    },
    body: {
      model: "m",
      messages: [
        user,
        { role: "assistant", content: null, tool_calls: [call("call_1")] },
        { role: "tool", tool_call_id: "call_1", content: "no" },
      ],
    },
    adjustments: ["DROPPED messages[2].is_error"],
  },
  {
    title: "passes everything on to a server that is not known",
    vendor: "generic",
    request: {
      model: "m",
      messages: [
        {
          role: "user",
          content: [
            {
              type: "image_url",
              image_url: { url: PNG, detail: "original" },
              prompt_cache_breakpoint: { mode: "explicit" },
            },
            { type: "file", file: { file_data: "data:application/pdf;base64,JVBERi0=", filename: "a.pdf" } },
          ],
        },
      ],
      tools: [{ type: "custom", custom: { name: "note" } }],
      max_tokens: 5,
      temperature: 0.5,
      min_p: 0.1,
    },
    body: {
      model: "m",
      messages: [
        {
          role: "user",
          content: [
            {
              type: "image_url",
              image_url: { url: PNG, detail: "original" },
              prompt_cache_breakpoint: { mode: "explicit" },
            },
            { type: "file", file: { file_data: "data:application/pdf;base64,JVBERi0=", filename: "a.pdf" } },
          ],
        },
      ],
      tools: [{ type: "custom", custom: { name: "note" } }],
      max_tokens: 5,
      temperature: 0.5,
      min_p: 0.1,
    } as never,
    adjustments: [],
  },
  {
    title: "knows OpenAI's models also behind a server that is not known",
    vendor: "generic",
    request: { model: "gpt-5", messages: [user], max_tokens: 5, temperature: 0.5 },
    body: { model: "gpt-5", messages: [user], max_completion_tokens: 5 },
    adjustments: ["DROPPED temperature", "MAPPED max_tokens"],
  },
  {
    title: "folds the extensions for reasoning into OpenAI's parameter",
    vendor: "openai",
    request: { model: "gpt-5", messages: [user], reasoning: { effort: "high" }, include_reasoning: true },
    body: { model: "gpt-5", messages: [user], reasoning_effort: "high" },
    adjustments: ["MAPPED reasoning.effort", "DROPPED include_reasoning"],
  },
  {
    title: "passes legacy functions on as they are",
    vendor: "openai",
    request: {
      model: "gpt-3.5-turbo",
      messages: [
        user,
        { role: "assistant", content: null, function_call: { name: "w", arguments: "{}" } },
        { role: "function", name: "w", content: "sun" },
      ],
      functions: [{ name: "w", parameters: { type: "object" } }],
      function_call: { name: "w" },
    },
    body: {
      model: "gpt-3.5-turbo",
      messages: [
        user,
        { role: "assistant", content: null, function_call: { name: "w", arguments: "{}" } },
        { role: "function", name: "w", content: "sun" },
      ],
      functions: [{ name: "w", parameters: { type: "object" } }],
      function_call: { name: "w" },
    },
  },
  {
    title: "says legacy functions as tools, with ids that pair calls and results",
    vendor: "vllm",
    request: {
      model: "m",
      messages: [
        user,
        { role: "assistant", content: null, function_call: { name: "w", arguments: '{"a":1}' } },
        { role: "function", name: "w", content: "sun" },
        { role: "assistant", content: "and", function_call: { name: "v", arguments: "" } },
        { role: "function", name: "v", content: null },
      ],
      functions: [{ name: "w", description: "W", parameters: { type: "object" } }, { name: "v" }],
      function_call: { name: "w" },
    },
    body: {
      model: "m",
      messages: [
        user,
        { role: "assistant", content: null, tool_calls: [call("call_function_1", "w", '{"a":1}')] },
        { role: "tool", content: "sun", tool_call_id: "call_function_1" },
        { role: "assistant", content: "and", tool_calls: [call("call_function_3", "v", "{}")] },
        { role: "tool", content: "", tool_call_id: "call_function_3" },
      ],
      tools: [
        { type: "function", function: { name: "w", description: "W", parameters: { type: "object" } } },
        { type: "function", function: { name: "v" } },
      ],
      tool_choice: { type: "function", function: { name: "w" } },
      parallel_tool_calls: false,
    },
  },
  {
    title: "says legacy functions in Mistral's words",
    vendor: "mistral",
    request: {
      model: "m",
      messages: [
        user,
        { role: "assistant", content: null, function_call: { name: "w", arguments: "{}" } },
        { role: "function", name: "w", content: "sun" },
      ],
      functions: [{ name: "w" }],
      function_call: "none",
    },
    body: {
      model: "m",
      messages: [
        user,
        { role: "assistant", content: null, tool_calls: [call(NINE, "w", "{}")] },
        { role: "tool", content: "sun", tool_call_id: NINE },
      ],
      tools: [{ type: "function", function: { name: "w" } }],
      tool_choice: "none",
      parallel_tool_calls: false,
    },
  },
  {
    title: "says nothing of parallel calls where the server does not know the word",
    vendor: "vllm",
    quirks: { unsupported: ["parallel_tool_calls"] },
    request: { model: "m", messages: [user], functions: [{ name: "w" }], function_call: "auto" },
    body: {
      model: "m",
      messages: [user],
      tools: [{ type: "function", function: { name: "w" } }],
      tool_choice: "auto",
    },
  },
  {
    title: "mends legacy calls and results that stand alone",
    vendor: "groq",
    request: {
      model: "m",
      messages: [
        { role: "assistant", content: null, function_call: { name: "w", arguments: "{}" } },
        { role: "function", name: "v", content: "rain" },
        user,
      ],
    },
    body: {
      model: "m",
      messages: [
        { role: "assistant", content: null, tool_calls: [call("call_function_0", "w", "{}")] },
        { role: "tool", content: "no result provided", tool_call_id: "call_function_0" },
        user,
      ],
    },
    adjustments: ["DROPPED messages[1]", "MAPPED messages[0].function_call"],
  },
  {
    title: "finds calls of tools by the name of their function, too, and prefers tools to functions",
    vendor: "xai",
    request: {
      model: "m",
      messages: [
        {
          role: "assistant",
          content: null,
          tool_calls: [call("a", "w", "{}"), call("b", "w", "{}")],
          function_call: { name: "w", arguments: "{}" },
        },
        { role: "tool", tool_call_id: "a", content: "1" },
        { role: "function", name: "w", content: "2" },
      ],
      tools: [{ type: "function", function: { name: "w" } }],
      functions: [{ name: "w" }],
      function_call: "auto",
    },
    body: {
      model: "m",
      messages: [
        { role: "assistant", content: null, tool_calls: [call("a", "w", "{}"), call("b", "w", "{}")] },
        { role: "tool", content: "1", tool_call_id: "a" },
        { role: "tool", content: "2", tool_call_id: "b" },
      ],
      tools: [{ type: "function", function: { name: "w" } }],
    },
    adjustments: ["DROPPED messages[0].function_call", "DROPPED functions", "DROPPED function_call"],
  },
  {
    title: "keeps custom tools, allowed tools, audio, files and marks for OpenAI",
    vendor: "openai",
    request: {
      model: "gpt-4o",
      messages: [
        {
          role: "user",
          content: [
            {
              type: "image_url",
              image_url: { url: PNG, detail: "original" },
              prompt_cache_breakpoint: { mode: "explicit" },
            },
            { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
            { type: "file", file: { file_data: "data:application/pdf;base64,JVBERi0=", filename: "a.pdf" } },
          ],
        },
      ],
      tools: [{ type: "custom", custom: { name: "c" } }, tool("w")],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "w" } }] },
      },
    },
    body: {
      model: "gpt-4o",
      messages: [
        {
          role: "user",
          content: [
            {
              type: "image_url",
              image_url: { url: PNG, detail: "original" },
              prompt_cache_breakpoint: { mode: "explicit" },
            },
            { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
            { type: "file", file: { file_data: "data:application/pdf;base64,JVBERi0=", filename: "a.pdf" } },
          ],
        },
      ],
      tools: [{ type: "custom", custom: { name: "c" } }, tool("w")],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "w" } }] },
      },
    },
  },
  {
    title: "passes parameters that Parley does not know on to other servers",
    vendor: "vllm",
    request: { model: "m", messages: [user], top_k: 4, min_p: 0.1, reasoning: { effort: "low" }, store: true },
    body: { model: "m", messages: [user], store: true, ...{ top_k: 4, min_p: 0.1, reasoning: { effort: "low" } } },
  },
  {
    title: "lets other servers have a choice of tools by giving them those only",
    vendor: "vllm",
    request: {
      model: "m",
      messages: [user],
      tools: [tool("w"), tool("v")],
      tool_choice: {
        type: "allowed_tools",
        allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "v" } }] },
      },
    },
    body: { model: "m", messages: [user], tools: [tool("v")], tool_choice: "required" },
    adjustments: ["MAPPED tool_choice"],
  },
  {
    title: "says a plain file as text, a refusal as text, and leaves the newest details out",
    vendor: "groq",
    request: {
      model: "m",
      messages: [
        {
          role: "user",
          name: "ann",
          content: [
            { type: "file", file: { file_data: "data:text/plain;base64,SGkgw6k=" } },
            { type: "image_url", image_url: { url: PNG, detail: "original" } },
            { type: "text", text: "", prompt_cache_breakpoint: { mode: "explicit" } },
          ],
        },
        { role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
      ],
    },
    body: {
      model: "m",
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "Hi é" },
            { type: "image_url", image_url: { url: PNG } },
          ],
        },
        { role: "assistant", content: "No." },
      ],
    },
    adjustments: [
      "DROPPED messages[0].content[1].image_url.detail",
      "DROPPED messages[0].content[2].prompt_cache_breakpoint",
      "DROPPED messages[0].name",
    ],
  },
  {
    title: "moves images of tools into a message of the user, after all results",
    vendor: "openai",
    request: {
      model: "gpt-4o",
      messages: [
        user,
        { role: "assistant", tool_calls: [call("a"), call("b")] },
        { role: "tool", tool_call_id: "a", content: [{ type: "image_url", image_url: { url: PNG } }] },
        { role: "tool", tool_call_id: "b", content: "two" },
        user,
      ],
    },
    body: {
      model: "gpt-4o",
      messages: [
        user,
        { role: "assistant", content: null, tool_calls: [call("a"), call("b")] },
        { role: "tool", tool_call_id: "a", content: "" },
        { role: "tool", tool_call_id: "b", content: "two" },
        { role: "user", content: [{ type: "image_url", image_url: { url: PNG } }] },
        user,
      ],
    },
    adjustments: ["MAPPED messages[2].content[0]"],
  },
];

describe("encodeRequest()", () => {
  it.each(ROWS)("$title", ({ vendor, quirks = {}, request, streaming, body, adjustments = [] }) => {
    const encoded = encode(providerOf({ vendor, quirks }), request, streaming);
    expect(JSON.parse(encoded.request.body ?? "")).toEqual(body);
    expect(encoded.adjustments.map(({ action, path }) => `${Adjustment_Action[action]} ${path}`)).toEqual(adjustments);
    expect(encoded.request).toMatchObject({ method: "POST", path: "/chat/completions" });
  });

  it("says Mistral's words", () => {
    const request = {
      model: "mistral-large-latest",
      messages: [{ role: "developer", content: "Be brief." }, user],
      max_completion_tokens: 9,
      seed: 3,
      tools: [tool("w")],
      tool_choice: "required",
      store: true,
      user: "u",
    };
    const { request: sent, adjustments } = encode(providerOf("mistral"), request, true);
    expect(JSON.parse(sent.body ?? "")).toEqual({
      model: "mistral-large-latest",
      messages: [system, user],
      max_tokens: 9,
      random_seed: 3,
      tools: [tool("w")],
      tool_choice: "any",
      stream: true,
    });
    expect(adjustments.map(({ path }) => path)).toEqual(["store", "user", "max_completion_tokens"]);
  });

  it("gives DeepSeek its reasoning back, and an empty one where it was lost", () => {
    const messages = [
      user,
      { role: "assistant", content: "a", reasoning_content: "why a" },
      user,
      { role: "assistant", content: null, tool_calls: [call("c1")] },
      { role: "tool", tool_call_id: "c1", content: "r" },
    ];
    const sent = JSON.parse(encode(providerOf("deepseek"), { model: "m", messages }).request.body ?? "");
    expect(sent.messages[1]).toEqual({ role: "assistant", content: "a", reasoning_content: "why a" });
    expect(sent.messages[3]).toEqual({
      role: "assistant",
      content: null,
      tool_calls: [call("c1")],
      reasoning_content: "",
    });
  });

  it("gives OpenRouter its details back as they came, or else the text", () => {
    const details = [{ type: "reasoning.text", text: "t", signature: "S", format: "anthropic-claude-v1", index: 0 }];
    const messages = [
      { role: "assistant", content: "a", reasoning_content: "t", reasoning_details: details },
      user,
      { role: "assistant", content: "b", reasoning_content: "u" },
      user,
    ];
    const sent = JSON.parse(encode(providerOf("openrouter"), { model: "m", messages }).request.body ?? "");
    expect(sent.messages[0]).toEqual({ role: "assistant", content: "a", reasoning_details: details });
    expect(sent.messages[2]).toEqual({ role: "assistant", content: "b", reasoning: "u" });
  });

  it("gives Google's endpoint the signatures of its thoughts back, and nobody else", () => {
    const extra_content = { google: { thought_signature: "G" } };
    const messages = [
      user,
      { role: "assistant", content: null, tool_calls: [{ ...call("c1"), extra_content }] },
      { role: "tool", tool_call_id: "c1", content: "r" },
    ];
    const sentTo = (vendor: string) =>
      JSON.parse(encode(providerOf(vendor), { model: "m", messages }).request.body ?? "").messages[1].tool_calls[0];
    expect(sentTo("google")).toEqual({ ...call("c1"), extra_content });
    expect(sentTo("generic")).toEqual(call("c1"));
  });

  it("keeps all digits of a seed and of schemas that came as text", () => {
    const parametersJson = '{"type":"integer","maximum":12345678901234567890}';
    const params = create(ChatCompletionParamsSchema, {
      model: "gpt-4o",
      messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: "Hi" } }] }],
      seed: 9007199254740993n,
      tools: [
        {
          kind: {
            case: "function",
            value: { name: "w", schema: { case: "parametersJson", value: parametersJson } },
          },
        },
      ],
    });
    const call = { model: "gpt-4o", params, streaming: false, media: new Map() };
    const { body } = providerOf("openai").encodeRequest(call).request;
    expect(body).toContain('"seed":9007199254740993');
    expect(body).toContain(`"parameters":${parametersJson}`);
  });

  it("puts media that were fetched in place of their addresses, and names those that it wants", () => {
    const url = "https://pictures.example/a.png";
    const image = (address: string) => ({ type: "image_url", image_url: { url: address } });
    const request = { model: "m", messages: [{ role: "user", content: [image(url), image(PNG)] }] };
    const media = new Map([[url, { mimeType: "image/png", data: "AAAA" }]]);
    const provider = providerOf("ollama");
    const sent = JSON.parse(encode(provider, request, false, media).request.body ?? "");
    const params = decodeJson(ChatCompletionParamsSchema, request);
    expect(provider.mediaToFetch("m", params)).toEqual([{ url, path: "messages[0].content[0].image_url.url" }]);
    expect(providerOf("openai").mediaToFetch("m", params)).toEqual([]);
    expect(sent.messages[0].content).toEqual([image("data:image/png;base64,AAAA"), image(PNG)]);
  });

  it("wants nothing fetched that the server does not take: it is refused as that", () => {
    const video = { type: "video_url", video_url: { url: "https://a.example/v.mp4" } };
    const request = { model: "m", messages: [{ role: "user", content: [video] }] };
    const params = decodeJson(ChatCompletionParamsSchema, request);
    expect(providerOf("ollama").mediaToFetch("m", params)).toEqual([]);
    expect(providerOf({ vendor: "ollama", quirks: { videoInput: true } }).mediaToFetch("m", params)).toEqual([
      { url: "https://a.example/v.mp4", path: "messages[0].content[0].video_url.url" },
    ]);
  });

  it.each([
    ["n for a server without it", "groq", { n: 2 }, "n"],
    ["logprobs of a model that reasons", "openai", { model: "o3", logprobs: true }, "logprobs"],
    [
      "custom tools for others than OpenAI",
      "vllm",
      { tools: [{ type: "custom", custom: { name: "c" } }] },
      "tools[0].custom",
    ],
    [
      "video where nobody watches",
      "openai",
      { messages: [{ role: "user", content: [{ type: "video_url", video_url: { url: "https://v.example/v" } }] }] },
      "messages[0].content[0]",
    ],
    [
      "audio where nobody listens",
      "deepseek",
      { messages: [{ role: "user", content: [{ type: "input_audio", input_audio: { data: "A", format: "wav" } }] }] },
      "messages[0].content[0]",
    ],
    [
      "files that a server can't read",
      "vllm",
      { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "file-1" } }] }] },
      "messages[0].content[0]",
    ],
  ])("refuses %s", (_what, vendor, request, param) => {
    const error = thrownBy(() => encode(providerOf(vendor), { model: "m", messages: [user], ...request }));
    expect([error.reasonName, error.details.param]).toEqual(["UNSUPPORTED_PARAMETER", param]);
  });
});
