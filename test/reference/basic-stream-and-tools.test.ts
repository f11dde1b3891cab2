/** A guide's first calls on `/v1`: a basic request, a stream, tools. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { post, readAnswer, readChunks, textOf } from "./support/call.ts";
import { faultsOf } from "./support/shape.ts";

let gateway: TestGateway;
let url: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  url = `${gateway.url}/v1/chat/completions`;
});
afterAll(() => gateway.stop());

describe("POST /v1/chat/completions", () => {
  it("answers the basic request", async () => {
    const request = `{
"model": "auto",
"messages": [
{"role": "user", "content": "Explain quantum computing in one paragraph."}
]
}`;
    const answer = await readAnswer<{ model: string; choices: unknown[] }>(await post(url, request));
    const documented = `{
"id": "chatcmpl-abc123",
"object": "chat.completion",
"choices": [
{
"index": 0,
"message": {
"role": "assistant",
"content": "Quantum computing uses qubits..."
},
"finish_reason": "stop"
}
]
}`;
    expect(faultsOf(answer, JSON.parse(documented))).toEqual([]);
    expect(answer).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      model: expect.stringMatching(/^\w+\/\w+$/),
    });
    expect(answer.choices).toMatchObject([{ index: 0, message: { role: "assistant" }, finish_reason: "stop" }]);
  });

  it("streams", async () => {
    const request = `{
"model": "auto",
"stream": true,
"messages": [
{"role": "user", "content": "Write a haiku about APIs."}
]
}`;
    const chunks = await readChunks(await post(url, request));
    const documented = '{"id":"chatcmpl-abc123","choices":[{"delta":{"content":"Endpoints"},"index":0}]}';
    const contentful = chunks.filter(({ choices }) => typeof choices[0]?.delta.content === "string");
    expect(contentful.length).toBeGreaterThan(3);
    expect(contentful.flatMap((chunk) => faultsOf(chunk, JSON.parse(documented)))).toEqual([]);
    expect(textOf(chunks)).toMatch(/\w/);
    expect(chunks.at(-1)).toMatchObject({ choices: [{ delta: {}, finish_reason: "stop" }] });
  });

  const TOOLS = `{
"model": "auto",
"messages": [{"role": "user", "content": "What's the weather in Tokyo?"}],
"tools": [
{
"type": "function",
"function": {
"name": "get_weather",
"description": "Get current weather for a city",
"parameters": {
"type": "object",
"properties": {
"city": {"type": "string"}
},
"required": ["city"]
}
}
}
]
}`;
  const CALL = { type: "function", function: { name: "get_weather", arguments: '{"city":"Tokyo"}' } };

  it("answers with calls of tools", async () => {
    const answer = await readAnswer(await post(url, TOOLS));
    expect(answer).toMatchObject({
      choices: [
        {
          finish_reason: "tool_calls",
          message: { role: "assistant", tool_calls: [{ id: expect.stringMatching(/^call_/), ...CALL }] },
        },
      ],
    });
  });

  it("takes the result of the tool back", async () => {
    const { choices } = await readAnswer<{ choices: { message: { tool_calls: { id: string }[] } }[] }>(
      await post(url, TOOLS),
    );
    const request = JSON.parse(TOOLS) as { messages: unknown[] };
    request.messages.push(choices[0]?.message, {
      role: "tool",
      tool_call_id: choices[0]?.message.tool_calls[0]?.id,
      content: "Sunny, 21 °C",
    });
    expect(await readAnswer(await post(url, JSON.stringify(request)))).toMatchObject({
      choices: [{ finish_reason: "stop", message: { content: "get_weather says: Sunny, 21 °C" } }],
    });
  });
});
