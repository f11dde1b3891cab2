/**
 * The least that a gateway on @grpc/grpc-js can do: it translates calls for an upstream of OpenAI's API, by undici's dispatch, and the answers
 * back. It checks nothing, counts nothing and logs nothing. The upstream's port is the first argument.
 */
import { createParser } from "eventsource-parser";
import { type Dispatcher, Pool } from "undici";
import { type Done, type Request, reportOf, type StreamCall, serveGrpcJs, type UnaryCall } from "./grpc-js-service.ts";
import { answerAsServer } from "./server-side.ts";

/** What is read of answers, whole or in chunks. */
interface Answer {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: string;
  readonly choices: readonly {
    readonly message?: { readonly content: string };
    readonly delta?: { readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
  };
}

const upstream = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: null, pipelining: 1 });
const HEADERS = ["content-type", "application/json", "authorization", "Bearer sk-upstream"];
const REPORT = reportOf("openai/gpt-4o-mini");
const ROLES: Readonly<Record<string, string>> = {
  ROLE_SYSTEM: "system",
  ROLE_USER: "user",
  ROLE_ASSISTANT: "assistant",
};

function encode({ params }: Request, stream: boolean): string {
  const messages = params.messages.map(({ role, content }) => ({ role: ROLES[role], content: content[0]?.text ?? "" }));
  return JSON.stringify({ model: params.model, messages, temperature: 0.7, max_tokens: 256, stream });
}

function completionOf({ id, created, model, system_fingerprint, choices, usage }: Answer): object {
  const [choice] = choices;
  const message = { role: "ROLE_ASSISTANT", content: [{ text: choice?.message?.content }] };
  return {
    id,
    created,
    model,
    system_fingerprint,
    choices: [{ index: 0, message, finish_reason: reason(choice) }],
    usage,
  };
}

function chunkOf({ id, created, model, system_fingerprint, choices, usage }: Answer): object {
  return {
    id,
    created,
    model,
    system_fingerprint,
    choices: choices.map((choice) => ({
      index: 0,
      delta: { content: choice.delta?.content },
      finish_reason: reason(choice),
    })),
    usage,
  };
}

const reason = (choice: Answer["choices"][number] | undefined): string | undefined =>
  choice?.finish_reason === "stop" ? "FINISH_REASON_STOP" : undefined;

/** What undici wants to be there. */
const UNHEEDED: Dispatcher.DispatchHandler = { onRequestStart: () => undefined, onResponseStart: () => undefined };

/** Sends a request, and tells the bytes of the answer as they come. */
function dispatch(request: Request, stream: boolean, handler: Dispatcher.DispatchHandler): void {
  const body = encode(request, stream);
  const options = { path: "/v1/chat/completions", method: "POST", headers: HEADERS, body } as const;
  upstream.dispatch(options, { ...UNHEEDED, ...handler });
}

function createChatCompletion({ request }: UnaryCall, done: Done): void {
  const parts: Buffer[] = [];
  dispatch(request, false, {
    onResponseData: (_, part) => void parts.push(part),
    onResponseEnd: () => {
      const completion = completionOf(JSON.parse(Buffer.concat(parts).toString()) as Answer);
      done(null, { completion, report: REPORT });
    },
    onResponseError: (_, error) => done(error),
  });
}

function streamChatCompletion(call: StreamCall): void {
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data === "[DONE]") return;
      const chunk = JSON.parse(data) as Answer;
      call.write(chunk.usage === undefined ? { chunk: chunkOf(chunk) } : { chunk: chunkOf(chunk), report: REPORT });
    },
  });
  dispatch(call.request, true, {
    onRequestStart: (controller) => call.on("cancelled", () => controller.abort(new Error("the client has gone"))),
    onResponseData: (controller, part) => {
      parser.feed(decoder.decode(part, { stream: true }));
      // And not what the last write said: a part may have no event in it.
      if (!call.writableNeedDrain) return;
      controller.pause();
      call.once("drain", () => controller.resume());
    },
    onResponseEnd: () => call.end(),
    onResponseError: (_, error) => call.destroy(error),
  });
}

answerAsServer(await serveGrpcJs({ createChatCompletion, streamChatCompletion }));
