/** A generated API page without a mount: `/chat/completions`, nullable parameters, the counts of the cache in its usage. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { post, readAnswer, readChunks, readError, textOf } from "./support/call.ts";
import { faultsOf } from "./support/shape.ts";

const RESPONSE = `{
  "id": "<string>",
  "object": "chat.completion",
  "created": 123,
  "model": "<string>",
  "choices": [
    {
      "index": 123,
      "message": {
        "role": "system",
        "content": "<string>",
        "name": "<string>",
        "tool_calls": [
          {
            "id": "<string>",
            "type": "function",
            "function": {
              "name": "<string>",
              "arguments": "<string>"
            }
          }
        ],
        "tool_call_id": "<string>"
      },
      "finish_reason": "stop",
      "logprobs": {
        "content": [
          {
            "token": "<string>",
            "logprob": 123,
            "bytes": [
              123
            ],
            "top_logprobs": [
              {
                "token": "<string>",
                "logprob": 123,
                "bytes": [
                  123
                ]
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
    "total_tokens": 123,
    "prompt_tokens_details": {
      "cached_tokens": 123
    },
    "completion_tokens_details": {
      "reasoning_tokens": 123,
      "accepted_prediction_tokens": 123,
      "rejected_prediction_tokens": 123
    },
    "cache_creation_input_tokens": 123,
    "cache_read_input_tokens": 123
  },
  "system_fingerprint": "<string>"
}`;

const MESSAGE = "choices[].message";
/** What the messages of models do not have. */
const NOT_ANSWERED = [`${MESSAGE}.name`, `${MESSAGE}.tool_call_id`];

/** All documented parameters of a whole answer. */
const REQUEST = {
  model: "sandbox/eliza",
  messages: [
    { role: "system", content: "Be short." },
    { role: "user", content: "Hello" },
  ],
  temperature: 0.7,
  max_completion_tokens: 100,
  top_p: 0.9,
  frequency_penalty: 0.5,
  presence_penalty: -0.5,
  stop: ["###", "END"],
  stream: false,
  tools: [
    {
      type: "function",
      function: { name: "my_fn", description: "Looks up a word", parameters: { type: "object", properties: {} } },
    },
  ],
  tool_choice: "auto",
  response_format: { type: "text" },
  seed: 42,
  user: "user-1234",
  n: 2,
  logprobs: true,
  top_logprobs: 3,
};
const NULLABLE = [
  "temperature",
  "max_completion_tokens",
  "top_p",
  "frequency_penalty",
  "presence_penalty",
  "seed",
  "n",
  "logprobs",
  "top_logprobs",
];

let gateway: TestGateway;
let url: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  url = `${gateway.url}/chat/completions`;
});
afterAll(() => gateway.stop());

describe("POST /chat/completions", () => {
  it("takes all documented parameters, and answers in the documented shape", async () => {
    const answer = await readAnswer<{ choices: unknown[] }>(await post(url, JSON.stringify(REQUEST)));
    expect(faultsOf(answer, JSON.parse(RESPONSE), [...NOT_ANSWERED, `${MESSAGE}.tool_calls`])).toEqual([]);
    expect(answer.choices).toHaveLength(2);
  });

  it("gives the same answer for the same seed", async () => {
    const read = async () => {
      const answer = await readAnswer<{ choices: unknown; system_fingerprint: string }>(
        await post(url, JSON.stringify(REQUEST)),
      );
      return [answer.choices, answer.system_fingerprint];
    };
    expect(await read()).toEqual(await read());
  });

  it("takes tool_choice as an object, and answers with calls in the documented shape", async () => {
    const request = `{"model":"auto","messages":[{"role":"user","content":"Hello"}],
      "tools":${JSON.stringify(REQUEST.tools)},
      "tool_choice":{"type": "function", "function": {"name": "my_fn"}}}`;
    const answer = await readAnswer(await post(url, request));
    const optional = [...NOT_ANSWERED, `${MESSAGE}.content`, "choices[].logprobs"];
    expect(faultsOf(answer, JSON.parse(RESPONSE), optional)).toEqual([]);
  });

  it("takes null for every parameter that is documented as nullable", async () => {
    const request = { ...REQUEST, ...Object.fromEntries(NULLABLE.map((name) => [name, null])) };
    const answer = await readAnswer<{ choices: unknown[] }>(await post(url, JSON.stringify(request)));
    const optional = [...NOT_ANSWERED, `${MESSAGE}.tool_calls`, "choices[].logprobs"];
    expect(faultsOf(answer, JSON.parse(RESPONSE), optional)).toEqual([]);
    expect(answer.choices).toHaveLength(1);
  });

  it("answers in one piece by default, and streams when it is asked to", async () => {
    const { stream: _stream, ...rest } = REQUEST;
    expect(await readAnswer(await post(url, JSON.stringify(rest)))).toMatchObject({ object: "chat.completion" });
    const request = { ...rest, stream: true, stream_options: { include_usage: true } };
    const chunks = await readChunks(await post(url, JSON.stringify(request)));
    expect([textOf(chunks, 0), textOf(chunks, 1)]).toEqual([expect.stringMatching(/\w/), expect.stringMatching(/\w/)]);
    const { usage } = JSON.parse(RESPONSE) as { usage: object };
    expect(faultsOf(chunks.at(-1)?.usage, usage)).toEqual([]);
  });

  it.each([
    ["temperature", 2.5],
    ["frequency_penalty", -2.1],
    ["presence_penalty", 2.1],
    ["top_logprobs", 21],
    ["n", 0],
    ["max_completion_tokens", 0],
  ])("refuses %s %d", async (param, value) => {
    const response = await post(url, JSON.stringify({ ...REQUEST, [param]: value }));
    expect(response.status).toBe(400);
    expect(await readError(response)).toMatchObject({ param, code: "invalid_value" });
  });
});
