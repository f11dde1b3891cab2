/** A generated API page on `/api/v1` whose example has every parameter that it knows, with placeholders for values. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { post, readAnswer, readChunks, readError, textOf } from "./support/call.ts";
import { faultsOf } from "./support/shape.ts";

const REQUEST = `{
  "model": "<string>",
  "messages": [
    {
      "role": "system",
      "content": "<string>"
    }
  ],
  "function_call": "none",
  "functions": [
    {
      "name": "<string>",
      "parameters": {},
      "description": "<string>"
    }
  ],
  "tool_choice": "none",
  "tools": [
    {
      "function": {
        "name": "<string>",
        "parameters": {},
        "description": "<string>"
      },
      "type": "function"
    }
  ],
  "n": 123,
  "max_tokens": 123,
  "temperature": 123,
  "response_format": {
    "type": "text"
  },
  "stream": true
}`;

const RESPONSE = `{
  "id": "<string>",
  "object": "chat.completion",
  "created": 123,
  "model": "<string>",
  "choices": [
    {
      "finish_reason": "length",
      "index": 123,
      "message": {
        "role": "assistant",
        "content": "<string>",
        "function_call": {
          "name": "<string>",
          "arguments": "<string>"
        },
        "tool_calls": [
          {
            "id": "<string>",
            "function": {
              "name": "<string>",
              "arguments": "<string>"
            },
            "type": "function"
          }
        ]
      },
      "logprobs": {
        "content": [
          {
            "token": "<string>",
            "bytes": [
              123
            ],
            "logprob": 123,
            "top_logprobs": [
              {
                "token": "<string>",
                "bytes": [
                  123
                ],
                "logprob": 123
              }
            ]
          }
        ]
      }
    }
  ],
  "usage": {
    "prompt_tokens": 123,
    "completion_tokens": 123,
    "total_tokens": 123
  }
}`;

const MESSAGE = "choices[].message";
const CALLS = [`${MESSAGE}.function_call`, `${MESSAGE}.tool_calls`];

/** The example with values within their bounds. */
const IN_RANGE = REQUEST.replace('"model": "<string>"', '"model": "auto"')
  .replaceAll('"name": "<string>"', '"name": "get_weather"')
  .replace('"temperature": 123', '"temperature": 1.23');

let gateway: TestGateway;
let url: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  url = `${gateway.url}/api/v1/chat/completions`;
});
afterAll(() => gateway.stop());

describe("POST /api/v1/chat/completions", () => {
  it("refuses the example as it stands, whose temperature is out of range", async () => {
    const response = await post(url, REQUEST);
    expect(response.status).toBe(400);
    const error = await readError(response);
    expect(error).toMatchObject({ type: "invalid_request_error", param: "temperature", code: "invalid_value" });
    expect(error.message).toMatch(/^temperature is 123 but must be .* 0 .* 2$/);
  });

  it("then refuses its name of a function, and then its model", async () => {
    const cooler = REQUEST.replace('"temperature": 123', '"temperature": 1.23');
    expect(await readError(await post(url, cooler))).toMatchObject({ param: expect.stringMatching(/\.name$/) });
    const named = cooler.replaceAll('"name": "<string>"', '"name": "get_weather"');
    const response = await post(url, named);
    expect(response.status).toBe(404);
    expect(await readError(response)).toMatchObject({ param: "model", code: "model_not_found" });
  });

  it("answers the example with values in range, whole", async () => {
    const request = IN_RANGE.replace('"stream": true', '"stream": false');
    const answer = await readAnswer<{ choices: { index: number; message: object }[] }>(await post(url, request));
    expect(faultsOf(answer, JSON.parse(RESPONSE), ["choices[].logprobs", ...CALLS])).toEqual([]);
    expect(answer.choices.map(({ index }) => index)).toEqual(Array.from({ length: 123 }, (_, index) => index));
    // function_call and tool_choice are "none".
    expect(answer.choices.flatMap(({ message }) => Object.keys(message))).not.toContain("tool_calls");
    expect(answer.choices.flatMap(({ message }) => Object.keys(message))).not.toContain("function_call");
  });

  it("answers the example with values in range, streamed", async () => {
    const chunks = await readChunks(await post(url, IN_RANGE));
    const roles = chunks.flatMap(({ choices }) => choices).filter(({ delta }) => delta.role === "assistant");
    const ends = chunks.flatMap(({ choices }) => choices).filter(({ finish_reason }) => finish_reason !== null);
    expect(roles.map(({ index }) => index)).toEqual(Array.from({ length: 123 }, (_, index) => index));
    expect(new Set(ends.map(({ index }) => index)).size).toBe(123);
    expect(ends).toHaveLength(123);
    expect(textOf(chunks, 122)).toMatch(/\w/);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: expect.any(Number) } });
  });

  const ask = { model: "auto", messages: [{ role: "user", content: "What's the weather in Tokyo?" }] };
  const definition = { name: "get_weather", parameters: {}, description: "The weather" };
  it.each([
    ["function_call", { functions: [definition], function_call: { name: "get_weather" } }, "tool_calls"],
    ["tool_calls", { tools: [{ type: "function", function: definition }], tool_choice: "required" }, "function_call"],
  ])("answers with %s in the documented shape", async (_name, more, other) => {
    const answer = await readAnswer(await post(url, JSON.stringify({ ...ask, ...more })));
    const optional = ["choices[].logprobs", `${MESSAGE}.content`, `${MESSAGE}.${other}`];
    expect(faultsOf(answer, JSON.parse(RESPONSE), optional)).toEqual([]);
  });

  it("answers with logprobs in the documented shape", async () => {
    const request = { ...ask, logprobs: true, top_logprobs: 1 };
    const answer = await readAnswer(await post(url, JSON.stringify(request)));
    expect(faultsOf(answer, JSON.parse(RESPONSE), CALLS)).toEqual([]);
  });
});
