/** What the gateway sends is what OpenAI's types say: the compiler judges it, and so do clients that send it back. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { readEvents } from "../support/sse.ts";
import { say, WEATHER } from "./openai-client.ts";

interface Answer {
  readonly choices: readonly { readonly message: { readonly tool_calls?: readonly { readonly id: string }[] } }[];
}

const ask = { model: "auto", messages: say("What's the weather in Oslo?") };
const grammar = { type: "grammar", grammar: { definition: "[a-c]{3}", syntax: "regex" } };
const schema = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };

/** Requests that between them make all that the sandbox can send. */
const REQUESTS: readonly (readonly [string, object])[] = [
  ["text", { model: "auto", messages: say("Hello"), n: 2, service_tier: "priority", metadata: { a: "b" } }],
  ["log probabilities", { ...ask, logprobs: true, top_logprobs: 2, max_tokens: 3 }],
  ["calls", { ...ask, tools: [WEATHER], tool_choice: "required" }],
  [
    "a custom call",
    { ...ask, tools: [{ type: "custom", custom: { name: "c", format: grammar } }], tool_choice: "required" },
  ],
  ["a legacy call", { ...ask, functions: [WEATHER.function], function_call: { name: "get_weather" } }],
  ["JSON", { ...ask, response_format: { type: "json_schema", json_schema: { name: "x", schema } } }],
  ["thoughts", { ...ask, reasoning_effort: "high" }],
];

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

const post = (body: object): Promise<Response> =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

async function readChunks(body: object): Promise<unknown[]> {
  const response = await post({ ...body, stream: true, stream_options: { include_usage: true } });
  const chunks: unknown[] = [];
  for await (const event of readEvents(response.body!)) if (event !== "[DONE]") chunks.push(JSON.parse(event));
  return chunks;
}

const require = createRequire(import.meta.url);
const typesOf = (file: string): string => require.resolve(`openai/resources/${file}`).replace(/\.js$/, ".d.ts");
const TSC = require.resolve("typescript/package.json").replace(/package\.json$/, "bin/tsc");

/** OpenAI's types, with the keys that only Parley has. */
const TYPES = `
import type { ChatCompletion, ChatCompletionChunk } from "${typesOf("chat/completions/completions")}";
declare module "${typesOf("chat/completions/completions")}" {
  interface ChatCompletionMessage { reasoning_content?: string }
  namespace ChatCompletionChunk.Choice { interface Delta { reasoning_content?: string } }
}
declare module "${typesOf("completions")}" {
  interface CompletionUsage { cache_creation_input_tokens?: number; cache_read_input_tokens?: number }
}
`;
const OPTIONS = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2024", "--module", "nodenext"];

/** What the compiler says to JSON where a type is asked for, also of keys that the type does not have; "" if nothing. */
async function complaints(type: "ChatCompletion" | "ChatCompletionChunk", values: readonly unknown[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parley-types-"));
  try {
    const file = join(folder, "emitted.ts");
    await writeFile(file, `${TYPES}export const emitted: ${type}[] = ${JSON.stringify(values, null, 1)};\n`);
    const command = [TSC, ...OPTIONS, "--skipLibCheck", "--ignoreConfig", "--types", "", file];
    return await new Promise((resolve) => {
      execFile(process.execPath, command, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("what is sent", () => {
  it("is assignable to OpenAI's completion, whole", async () => {
    const answers = await Promise.all(REQUESTS.map(async ([, body]) => (await post(body)).json()));
    expect(await complaints("ChatCompletion", answers)).toBe("");
  });

  it("is assignable to OpenAI's chunk, streamed", async () => {
    const chunks = (await Promise.all(REQUESTS.map(([, body]) => readChunks(body)))).flat();
    expect(chunks.length).toBeGreaterThan(5 * REQUESTS.length);
    expect(await complaints("ChatCompletionChunk", chunks)).toBe("");
  });

  it("would not be, with any of these changes", async () => {
    const answer = (await (await post(ask)).json()) as object;
    const changes: readonly (readonly [change: object, complaint: string])[] = [
      [{ object: "chat.completion.chunk" }, "'\"chat.completion.chunk\"' is not assignable"],
      [{ choices: [{ index: 0, finish_reason: "stop", logprobs: null }] }, "'message' is missing"],
      [{ service_tier: "standard" }, "'\"standard\"' is not assignable"],
      [{ system_fingerprint: null }, "'null' is not assignable"],
      [{ padding: "x" }, "'\"padding\"' does not exist"],
    ];
    const said = await complaints(
      "ChatCompletion",
      changes.map(([change]) => ({ ...answer, ...change })),
    );
    expect(changes.filter(([, complaint]) => !said.includes(complaint))).toEqual([]);
    expect(said.match(/error TS/g)).toHaveLength(changes.length);
  });

  it.each(REQUESTS)("can be sent back as it came: %s", async (_, body) => {
    const answer = (await (await post(body)).json()) as Answer;
    const [{ message }] = answer.choices as [Answer["choices"][number]];
    const results = (message.tool_calls ?? []).map(({ id }) => ({ role: "tool", tool_call_id: id, content: "42" }));
    // As SDKs in other languages write their classes: with all keys, also those that are unset.
    const echo = { audio: null, annotations: [], function_call: null, tool_calls: null, ...message };
    const messages = [...ask.messages, echo, ...results, ...say("And now?")];
    const response = await post({ model: "auto", messages });
    expect([response.status, response.headers.get("x-parley-ignored")]).toEqual([200, null]);
  });
});
