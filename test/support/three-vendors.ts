import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A server that stands for OpenAI, Anthropic and Google: whoever asks in the form of one is greeted in its form. */
export interface ThreeVendors {
  /** The variables of the environment that lead to it. They have to be given with keys. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** What each of them answers, by the path that it is asked at. */
const ANSWERS: readonly { readonly path: RegExp; readonly type: string; readonly body: string }[] = [
  {
    path: /^\/v1\/chat\/completions$/,
    type: "application/json",
    body: JSON.stringify({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1,
      model: "gpt-4o-mini-2024-07-18",
      choices: [{ index: 0, message: { role: "assistant", content: "Hello from OpenAI" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 8, completion_tokens: 4, total_tokens: 12 },
    }),
  },
  {
    path: /^\/v1\/messages$/,
    type: "text/event-stream",
    body: [
      {
        type: "message_start",
        message: {
          id: "msg_1",
          type: "message",
          role: "assistant",
          model: "claude-sonnet-4-5-20250929",
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 8, output_tokens: 1 },
        },
      },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello from Anthropic" } },
      { type: "content_block_stop", index: 0 },
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { input_tokens: 8, output_tokens: 4 },
      },
      { type: "message_stop" },
    ]
      .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      .join(""),
  },
  {
    path: /^\/v1beta\/models\/[\w.-]+:streamGenerateContent\?alt=sse$/,
    type: "text/event-stream",
    body: `data: ${JSON.stringify({
      candidates: [
        { index: 0, content: { role: "model", parts: [{ text: "Hello from Google" }] }, finishReason: "STOP" },
      ],
      usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 4, totalTokenCount: 12 },
      modelVersion: "gemini-2.5-flash",
      responseId: "1",
    })}\n\n`,
  },
];

/** Starts the server on a free port. It has no lists of models. */
export async function startThreeVendors(): Promise<ThreeVendors> {
  const server = createServer((request, response) => {
    const answer = ANSWERS.find(({ path }) => request.method === "POST" && path.test(request.url ?? ""));
    if (answer === undefined) response.writeHead(404, { "content-type": "application/json" }).end("{}");
    else response.writeHead(200, { "content-type": answer.type }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const base = `http://127.0.0.1:${port}`;
  return {
    env: { OPENAI_BASE_URL: `${base}/v1`, ANTHROPIC_BASE_URL: base, GOOGLE_GEMINI_BASE_URL: base },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
