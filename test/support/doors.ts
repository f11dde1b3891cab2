import { Agent as HttpAgent } from "node:http";
import { create, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { Agent, fetch, type Response } from "undici";
import { type CallOptions, ChatService } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import {
  type ChatCompletion,
  type ChatCompletionChunk,
  ChatCompletionChunkSchema,
  ChatCompletionSchema,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { type CallReport, CallReportSchema } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { encodeJson } from "../../src/openai-json/encode.ts";
import { DoorError, readRetryHeaders } from "./door-error.ts";
import { readEvents } from "./sse.ts";

/** Parameters of a call, as they are written in a test. */
export type Params = MessageInitShape<typeof ChatCompletionParamsSchema>;

/** How a test makes a call, besides its parameters. */
export interface CallSettings {
  readonly options?: Partial<Pick<CallOptions, "strict" | "includeReasoning" | "fallbackModels" | "hedgeAfter">>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  /** Is told each report of the call, also that of a failure; never on REST, whose answers have none. */
  readonly onReport?: (report: CallReport) => void;
  /** Is told the headers of the answer, on REST. */
  readonly onHeaders?: (headers: Pick<Headers, "get">) => void;
}

/** A client of one door. What fails, fails with a DoorError. */
export interface DoorClient {
  readonly name: "rest" | "grpc" | "grpc-web" | "connect";
  complete(params: Params, settings?: CallSettings): Promise<ChatCompletion>;
  /** All chunks, the usage chunk too. */
  stream(params: Params, settings?: CallSettings): AsyncGenerator<ChatCompletionChunk>;
  /** Closes the client's connections at once, those of open calls too. */
  close(): void;
}

/** Names of all doors. */
export const DOORS = ["rest", "grpc", "grpc-web", "connect"] as const;

/** Opens a client of a door of the gateway at that URL. */
export function openDoor(name: DoorClient["name"], url: string): DoorClient {
  if (name === "rest") return openRest(url);
  if (name === "grpc") {
    const sessionManager = new Http2SessionManager(url);
    return openRpc(name, createGrpcTransport({ baseUrl: url, sessionManager }), () => sessionManager.abort());
  }
  const agent = new HttpAgent({ keepAlive: true });
  const options = { baseUrl: url, httpVersion: "1.1", nodeOptions: { agent } } as const;
  const transport = name === "connect" ? createConnectTransport(options) : createGrpcWebTransport(options);
  return openRpc(name, transport, () => agent.destroy());
}

function openRpc(name: DoorClient["name"], transport: Transport, close: () => void): DoorClient {
  const client = createClient(ChatService, transport);
  // The deadline goes out as a header and not as an option: the client's own timer would hide what the server does.
  const callOptions = ({ timeoutMs, headers }: CallSettings, signal: AbortSignal | undefined) => ({
    headers: { ...headers, ...(timeoutMs === undefined ? {} : timeoutHeader(timeoutMs)) },
    ...(signal === undefined ? {} : { signal }),
  });
  const fail = (thrown: unknown, { onReport }: CallSettings): DoorError => {
    if (thrown instanceof ConnectError) for (const it of thrown.findDetails(CallReportSchema)) onReport?.(it);
    return DoorError.fromConnect(thrown);
  };
  const timeoutHeader = (ms: number): Record<string, string> =>
    name === "connect" ? { "connect-timeout-ms": String(ms) } : { "grpc-timeout": `${ms}m` };
  return {
    name,
    close,
    async complete(params, settings = {}) {
      const options = settings.options ?? {};
      try {
        const response = await client.createChatCompletion({ params, options }, callOptions(settings, settings.signal));
        if (response.report !== undefined) settings.onReport?.(response.report);
        return response.completion as ChatCompletion;
      } catch (thrown) {
        throw fail(thrown, settings);
      }
    },
    async *stream(params, settings = {}) {
      const options = settings.options ?? {};
      // Connect's clients do not end a call whose reader breaks off.
      const reader = new AbortController();
      const signal = settings.signal === undefined ? reader.signal : AbortSignal.any([settings.signal, reader.signal]);
      try {
        const responses = client.streamChatCompletion({ params, options }, callOptions(settings, signal));
        for await (const { chunk, report } of responses) {
          if (report !== undefined) settings.onReport?.(report);
          if (chunk !== undefined) yield chunk;
        }
      } catch (thrown) {
        throw fail(thrown, settings);
      } finally {
        reader.abort();
      }
    },
  };
}

function openRest(url: string): DoorClient {
  const dispatcher = new Agent();
  const post = async (params: Params, settings: CallSettings, stream: boolean): Promise<Response> => {
    const message = create(ChatCompletionParamsSchema, params);
    if (stream)
      message.streamOptions ??= create(ChatCompletionParamsSchema, {
        streamOptions: { includeUsage: true },
      }).streamOptions;
    const body = { ...encodeJson(ChatCompletionParamsSchema, message, { nulls: false }), stream };
    const { strict, includeReasoning, fallbackModels, hedgeAfter } = settings.options ?? {};
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: {
        "content-type": "application/json",
        ...(strict === undefined ? {} : { "x-parley-strict": String(strict) }),
        ...(includeReasoning === undefined ? {} : { "x-parley-include-reasoning": String(includeReasoning) }),
        ...(fallbackModels === undefined ? {} : { "x-parley-fallback-models": fallbackModels.join(", ") }),
        ...(hedgeAfter === undefined ? {} : { "x-parley-hedge-after": `${durationMs(hedgeAfter) / 1000}s` }),
        ...(settings.timeoutMs === undefined ? {} : { "x-parley-timeout-ms": String(settings.timeoutMs) }),
        ...settings.headers,
      },
      ...(settings.signal === undefined ? {} : { signal: settings.signal }),
      dispatcher,
    });
    settings.onHeaders?.(response.headers);
    return response;
  };
  return {
    name: "rest",
    close: () => void dispatcher.destroy(),
    async complete(params, settings = {}) {
      const response = await post(params, settings, false);
      if (!response.ok) throw await readError(response);
      return decodeJson(ChatCompletionSchema, (await response.json()) as JsonValue);
    },
    async *stream(params, settings = {}) {
      const response = await post(params, settings, true);
      if (!response.ok) throw await readError(response);
      if (response.body === null) throw new Error("the stream has no body");
      let isDone = false;
      for await (const event of readEvents(response.body)) {
        if (isDone) throw new Error(`an event after [DONE]: ${event}`);
        isDone = event === "[DONE]";
        if (isDone) continue;
        const json = JSON.parse(event) as JsonValue;
        if (typeof json === "object" && json !== null && "error" in json) throw DoorError.fromJson(json);
        yield decodeJson(ChatCompletionChunkSchema, json);
      }
      if (!isDone) throw new Error("the stream ended without [DONE] and without an error");
    },
  };
}

async function readError(response: Response): Promise<DoorError> {
  return DoorError.fromJson(await response.json(), response.status, readRetryHeaders(response.headers));
}
