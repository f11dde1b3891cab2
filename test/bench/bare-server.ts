/**
 * The least that a server on node:http can do for the same answers: it parses the request, builds the answer and writes it, one
 * write for each chunk. It checks nothing, counts no tokens, logs nothing, and knows no deadline.
 */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { answerAsServer } from "./child-side.ts";
import type { ChatBody } from "./requests.ts";
import { USAGE } from "./usage.ts";

const created = Math.floor(Date.now() / 1000);
const ID = "chatcmpl-0123456789abcdefghijklmn";

/** What all answers have in common. */
const frame = (object: string, model: string) => ({ id: ID, object, created, model });

const service = { service_tier: "default", system_fingerprint: "fp_0123456789" };

function answerWhole(response: http.ServerResponse, { model }: ChatBody, content: string): void {
  const json = JSON.stringify({
    ...frame("chat.completion", model),
    choices: [
      {
        index: 0,
        message: { role: "assistant", content, refusal: null, annotations: [] },
        finish_reason: "stop",
        logprobs: null,
      },
    ],
    usage: USAGE,
    ...service,
  });
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(json) });
  response.end(json);
}

async function answerStream(response: http.ServerResponse, { model, sandbox }: ChatBody, text: string): Promise<void> {
  const delayMs = sandbox?.token_delay_ms ?? 0;
  const send = (delta: object, finish_reason: string | null = null): void => {
    const choices = [{ index: 0, delta, finish_reason }];
    const chunk = { ...frame("chat.completion.chunk", model), choices, ...service };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  send({ role: "assistant", content: "" });
  for (const content of text.split(/(?= )/)) {
    if (delayMs > 0) await sleep(delayMs);
    send({ content });
  }
  send({}, "stop");
  response.end("data: [DONE]\n\n");
}

const server = http.createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const body = JSON.parse(Buffer.concat(parts).toString()) as ChatBody;
    const last = body.messages.findLast(({ role }) => role === "user")?.content ?? "";
    if (body.stream === true) void answerStream(response, body, last);
    else answerWhole(response, body, last);
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
answerAsServer((server.address() as AddressInfo).port);
