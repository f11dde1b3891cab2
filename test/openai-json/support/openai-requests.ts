import type {
  ChatCompletionContentPart,
  ChatCompletionCreateParamsBase,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
  ChatCompletionTool,
  ChatCompletionToolChoiceOption,
} from "openai/resources/chat/completions";

const breakpoint = { mode: "explicit", ttl: "12h" } as const;

const PARTS = [
  { type: "text", text: "What is in these?", prompt_cache_breakpoint: breakpoint },
  { type: "image_url", image_url: { url: "https://x/y.png", detail: "original" }, prompt_cache_breakpoint: breakpoint },
  { type: "input_audio", input_audio: { data: "QQ==", format: "mp3" }, prompt_cache_breakpoint: breakpoint },
  {
    type: "file",
    file: { file_data: "data:application/pdf;base64,QQ==", filename: "a.pdf" },
    prompt_cache_breakpoint: { mode: "explicit" },
  },
  { type: "file", file: { file_id: "file_1" } },
] satisfies ChatCompletionContentPart[];

const MESSAGES = [
  { role: "developer", content: "Be brief.", name: "boss" },
  { role: "developer", content: [{ type: "text", text: "Be brief." }] },
  { role: "system", content: [{ type: "text", text: "Be kind." }], name: "boss" },
  { role: "user", content: "Hi", name: "ann" },
  { role: "user", content: PARTS },
  { role: "assistant", content: "Hi", name: "bot", refusal: null, audio: null, function_call: null },
  {
    role: "assistant",
    content: [
      { type: "text", text: "a" },
      { type: "refusal", refusal: "b" },
    ],
  },
  {
    role: "assistant",
    content: null,
    refusal: "No.",
    audio: { id: "audio_1" },
    function_call: { name: "f", arguments: "{}" },
  },
  {
    role: "assistant",
    content: null,
    tool_calls: [
      { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } },
      { id: "call_2", type: "custom", custom: { name: "c", input: "x" } },
    ],
  },
  { role: "tool", tool_call_id: "call_1", content: "42" },
  { role: "tool", tool_call_id: "call_2", content: [{ type: "text", text: "43" }] },
  { role: "function", name: "f", content: null },
  { role: "function", name: "f", content: "42" },
] satisfies ChatCompletionMessageParam[];

const TOOLS = [
  { type: "function", function: { name: "f", description: "d", parameters: { type: "object" }, strict: true } },
  { type: "function", function: { name: "g", strict: null } },
  { type: "custom", custom: { name: "c", description: "d", format: { type: "text" } } },
  {
    type: "custom",
    custom: { name: "d", format: { type: "grammar", grammar: { definition: "start: /a/", syntax: "lark" } } },
  },
  { type: "custom", custom: { name: "e", format: { type: "grammar", grammar: { definition: "a", syntax: "regex" } } } },
] satisfies ChatCompletionTool[];

/** A request with every parameter, in its largest form. */
export const FULL_REQUEST = {
  model: "openai/gpt-4o",
  messages: MESSAGES,
  audio: { format: "pcm16", voice: { id: "voice_1" } },
  frequency_penalty: -2,
  function_call: { name: "f" },
  functions: [{ name: "f", description: "d", parameters: { type: "object" } }],
  logit_bias: { "50256": -100 },
  logprobs: true,
  max_completion_tokens: 100,
  max_tokens: 100,
  metadata: { topic: "demo" },
  modalities: ["text", "audio"],
  moderation: { model: "omni", policy: { input: { mode: "score" }, output: { mode: "block" } } },
  n: 2,
  parallel_tool_calls: false,
  prediction: {
    type: "content",
    content: [
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ],
  },
  presence_penalty: 2,
  prompt_cache_key: "key",
  prompt_cache_options: { mode: "explicit", ttl: "30m" },
  prompt_cache_retention: "24h",
  reasoning_effort: "high",
  response_format: {
    type: "json_schema",
    json_schema: { name: "answer", description: "d", schema: { type: "object" }, strict: true },
  },
  safety_identifier: "hash",
  seed: 42,
  service_tier: "flex",
  stop: ["a", "b"],
  store: true,
  stream: true,
  stream_options: { include_usage: true, include_obfuscation: false },
  temperature: 0.5,
  tool_choice: {
    type: "allowed_tools",
    allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "f" } }] },
  },
  tools: TOOLS,
  top_logprobs: 20,
  top_p: 0.9,
  user: "ann",
  verbosity: "high",
  web_search_options: {
    search_context_size: "high",
    user_location: {
      type: "approximate",
      approximate: { city: "Bern", country: "CH", region: "BE", timezone: "Europe/Zurich" },
    },
  },
} satisfies ChatCompletionCreateParamsStreaming & Required<ChatCompletionCreateParamsBase>;

/** Every parameter that takes null, with null. */
const NULLS = {
  model: "m",
  messages: [],
  audio: null,
  frequency_penalty: null,
  logit_bias: null,
  logprobs: null,
  max_completion_tokens: null,
  max_tokens: null,
  metadata: null,
  modalities: null,
  moderation: null,
  n: null,
  prediction: null,
  presence_penalty: null,
  prompt_cache_key: null,
  prompt_cache_retention: null,
  reasoning_effort: null,
  safety_identifier: null,
  seed: null,
  service_tier: null,
  stop: null,
  store: null,
  stream: null,
  stream_options: null,
  temperature: null,
  top_logprobs: null,
  top_p: null,
  verbosity: null,
} satisfies ChatCompletionCreateParamsNonStreaming;

const CHOICES = [
  "none",
  "auto",
  "required",
  { type: "function", function: { name: "f" } },
  { type: "custom", custom: { name: "c" } },
  { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [{ type: "custom", custom: { name: "c" } }] } },
] satisfies ChatCompletionToolChoiceOption[];

/** A parameter's values, one for each arm of its union. */
type Values<Name extends keyof ChatCompletionCreateParamsBase> = readonly ChatCompletionCreateParamsBase[Name][];

const ARMS = {
  tool_choice: CHOICES,
  audio: [
    { format: "wav", voice: "alloy" },
    { format: "aac", voice: "my own" },
    { format: "mp3", voice: { id: "v" } },
    { format: "flac", voice: "sage" },
    { format: "opus", voice: "marin" },
  ] satisfies Values<"audio">,
  function_call: ["none", "auto", { name: "f" }] satisfies Values<"function_call">,
  modalities: [["text"], ["audio"], []] satisfies Values<"modalities">,
  moderation: [
    { model: "omni" },
    { model: "omni", policy: null },
    { model: "omni", policy: { input: null, output: null } },
  ] satisfies Values<"moderation">,
  prediction: [{ type: "content", content: "text" }] satisfies Values<"prediction">,
  prompt_cache_options: [{}, { mode: "implicit" }] satisfies Values<"prompt_cache_options">,
  prompt_cache_retention: ["in_memory"] satisfies Values<"prompt_cache_retention">,
  reasoning_effort: ["none", "minimal", "low", "medium", "high", "xhigh", "max"] satisfies Values<"reasoning_effort">,
  response_format: [
    { type: "text" },
    { type: "json_object" },
    { type: "json_schema", json_schema: { name: "answer", strict: null } },
  ] satisfies Values<"response_format">,
  service_tier: ["auto", "default", "flex", "scale", "priority", "fast"] satisfies Values<"service_tier">,
  stop: ["END", ["END"], []] satisfies Values<"stop">,
  verbosity: ["low", "medium"] satisfies Values<"verbosity">,
  web_search_options: [{}, { search_context_size: "low", user_location: null }] satisfies Values<"web_search_options">,
};

function request(name: string, value: unknown): [name: string, request: ChatCompletionCreateParamsBase] {
  return [`${name}: ${JSON.stringify(value)}`, { model: "m", messages: [], [name]: value }];
}

/** Requests with every parameter and every arm of every union in OpenAI's own types. */
export const REQUESTS: readonly (readonly [name: string, request: ChatCompletionCreateParamsBase])[] = [
  ["everything", FULL_REQUEST],
  ["nulls", NULLS],
  ...Object.entries(ARMS).flatMap(([name, values]) => values.map((value) => request(name, value))),
];
