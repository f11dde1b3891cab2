/** Odd but legal bodies, as SDKs and frameworks write them, are taken. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { say } from "./openai-client.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

/** Status of the answer, and what it says if it is none. */
async function statusOf(body: object | string): Promise<[status: number, error: unknown]> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return [response.status, response.ok ? undefined : text];
}

const base = { model: "auto", messages: say("Hello") };
const user = base.messages[0];
const calls = [{ id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }];
const result = { role: "tool", tool_call_id: "call_1", content: "42" };
const talk = (...messages: unknown[]): object => ({ model: "auto", messages: [user, ...messages] });

describe("bodies that SDKs write", () => {
  it.each<[what: string, body: object | string]>([
    ["null content beside calls", talk({ role: "assistant", content: null, tool_calls: calls }, result)],
    ["empty content beside calls", talk({ role: "assistant", content: "", tool_calls: calls }, result)],
    ["no parts beside calls", talk({ role: "assistant", content: [], tool_calls: calls }, result)],
    ["no content beside calls", talk({ role: "assistant", tool_calls: calls }, result)],
    ["an empty result", talk({ role: "assistant", tool_calls: calls }, { ...result, content: "" })],
    ["a result with a name", talk({ role: "assistant", tool_calls: calls }, { ...result, name: "f" })],
    ["a call with its index", talk({ role: "assistant", tool_calls: [{ index: 0, ...calls[0] }] }, result)],
    ["no calls at all", talk({ role: "assistant", content: "Hi", tool_calls: [], function_call: null }, user)],
    ["a refusal", talk({ role: "assistant", content: null, refusal: "No." }, user)],
    ["a refusal as a part", talk({ role: "assistant", content: [{ type: "refusal", refusal: "No." }] }, user)],
    [
      "a legacy call and its result",
      talk(
        { role: "assistant", content: null, function_call: { name: "f", arguments: "{}" } },
        { role: "function", name: "f", content: "42" },
      ),
    ],
    [
      "names",
      {
        ...base,
        messages: [
          { ...user, name: "ann" },
          { role: "assistant", content: "Hi", name: "bot" },
        ],
      },
    ],
    [
      "every key of a message, unset",
      { ...base, messages: [{ ...user, name: null, tool_calls: null, refusal: null }] },
    ],
    ["an empty text", { ...base, messages: [{ role: "user", content: "" }] }],
    ["no tools", { ...base, tools: [] }],
    ["null for tools and their choice", { ...base, tools: null, tool_choice: null, parallel_tool_calls: null }],
    ["null for legacy functions", { ...base, functions: null, function_call: null, user: null }],
    ["null within a tool", { ...base, tools: [{ type: "function", function: { name: "f", parameters: null } }] }],
    ["no stop sequences", { ...base, stop: [] }],
    ["no bias and no labels", { ...base, logit_bias: {}, metadata: {} }],
    ["an empty user", { ...base, user: "" }],
    ["null for the form and the options of a stream", { ...base, response_format: null, stream_options: null }],
    ["integers with decimals", '{"model":"auto","messages":[{"role":"user","content":"Hi"}],"n":2.0,"seed":1e3}'],
    ["zeros with a sign", '{"model":"auto","messages":[{"role":"user","content":"Hi"}],"temperature":-0.0,"seed":-0}'],
    ["a byte order mark", `\ufeff${JSON.stringify(base)}`],
    ["keys that are not OpenAI's", { ...base, thinking: { type: "enabled" }, extra_body: { a: [null] } }],
  ])("are taken (%s)", async (_, body) => {
    expect(await statusOf(body)).toEqual([200, undefined]);
  });
});
