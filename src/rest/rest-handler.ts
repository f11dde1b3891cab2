/**
 * REST: the door for plain HTTP. It reads routes off the descriptors (google.api.http, AIP-127), turns OpenAI's JSON
 * into requests of operations, and what they answer into JSON or event streams. It knows no provider, and not how an
 * operation does its work.
 */
import { type DescService, isMessage } from "@bufbuild/protobuf";
import type { Doorkeeper } from "../admission/doorkeeper.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { CallContext, Operations } from "../gateway/operation.ts";
import { ChatCompletionParamsSchema } from "../gen/parley/chat/v1/params_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { DueList } from "../lib/due-list.ts";
import type { HttpRequest, HttpResponse } from "../lib/http-exchange.ts";
import { jsonTextKeys } from "../openai-json/json-text-keys.ts";
import type { CallLog } from "../telemetry/call-log.ts";
import { answerEmpty, answerError, type Exchange } from "./answer.ts";
import { answerStream } from "./answer-stream.ts";
import { answerUnary } from "./answer-unary.ts";
import { chooseTarget } from "./choose-target.ts";
import { watchClient } from "./client-watch.ts";
import { type Dialect, wantsUsage } from "./dialect.ts";
import { createEventEncoder } from "./event-encoder.ts";
import { readJsonBody } from "./json-body.ts";
import type { PathMatch } from "./path-matcher.ts";
import type { BodyBounds } from "./read-body.ts";
import { ignoredHeaders } from "./report-headers.ts";
import { bodyOf, buildRequest, type DecodedBody, decodeBody } from "./request-message.ts";
import type { RequestTarget } from "./request-target.ts";
import { createRoutes, type Route } from "./route.ts";
import type { OpenWriters } from "./sse-writer.ts";
import { readTimeout } from "./timeout-header.ts";

/** What the REST door needs. */
export interface RestOptions {
  /** The services whose rpcs have routes. */
  readonly services: readonly DescService[];
  readonly operations: Operations;
  readonly doorkeeper: Doorkeeper;
  /** Largest body of a request, in bytes, also after it was unpacked. */
  readonly maxBodyBytes: number;
  /** After so many milliseconds of silence, and each time again, a stream sends a comment. */
  readonly keepAliveMs: number;
  /** Longest time that a client may give a call by `x-parley-timeout-ms`, in milliseconds. */
  readonly maxTimeoutMs: number;
}

/** Answers HTTP requests. */
export interface RestHandler {
  /**
   * Answers one request, whatever its path, and never rejects. Resolved when the answer is written, or nobody wants it
   * any more.
   */
  handle(request: HttpRequest, response: HttpResponse, target: RequestTarget, log: CallLog): Promise<void>;
}

/** What calls are made with. */
interface Calling extends RestOptions {
  readonly open: OpenWriters;
}

type Found = Extract<PathMatch<Route>, { kind: "found" }>;

/**
 * Makes the REST door. Throws an Error when the rules of the services contradict themselves, or an operation is
 * missing.
 */
export function createRestHandler(options: RestOptions): RestHandler {
  const routes = createRoutes(options.services, options.operations);
  const calling: Calling = { ...options, open: new DueList() };
  return {
    async handle(request, response, { path, query }, log) {
      const exchange: Exchange = { request, response, log, standing: undefined };
      const client = watchClient(response);
      try {
        const match = routes.match(request.method ?? "GET", path);
        if (match.kind === "found") await callRoute(calling, exchange, match, query, client.signal);
        else answerUnrouted(exchange, match, path);
      } catch (thrown) {
        const error = GatewayError.from(thrown);
        log.failed(error);
        answerError(exchange, error);
      } finally {
        client.release();
      }
    },
  };
}

function answerUnrouted(exchange: Exchange, match: Exclude<PathMatch<Route>, Found>, path: string): void {
  const { method } = exchange.request;
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  if (match.kind === "not-found") {
    throw new GatewayError(Reason.UNKNOWN_URL, `Unknown request URL: ${method} ${shown}`);
  }
  const allow = match.allow.join(", ");
  if (method !== "OPTIONS") {
    throw new GatewayError(Reason.METHOD_NOT_ALLOWED, `${method} is not allowed for ${shown}; allowed: ${allow}`, {
      allow: match.allow,
    });
  }
  answerEmpty(exchange, 204, ["allow", allow]);
}

async function callRoute(
  options: Calling,
  exchange: Exchange,
  { value: route, variables }: Found,
  query: string,
  signal: AbortSignal,
): Promise<void> {
  const { request, log } = exchange;
  const { headers } = request;
  log.named(route.plain.method.name);
  const { doorkeeper } = options;
  const caller = await doorkeeper.admit(headers, route.methods, request.method);
  log.identified(caller.id);
  const timeoutMs = readTimeout(headers, options.maxTimeoutMs);
  const deadline = timeoutMs === undefined ? undefined : { timeoutMs, leftMs: timeoutMs - log.elapsedMs() };
  const body = await readDecodedBody(route, request, { maxBytes: options.maxBodyBytes, deadline });
  const target = chooseTarget(route, body, headers.accept);
  log.named(target.method.name);
  doorkeeper.check(caller, target.method);
  if (target.kind === "stream" && request.method === "HEAD") {
    throw new GatewayError(Reason.METHOD_NOT_ALLOWED, "an event stream is read by GET", { allow: ["GET", "OPTIONS"] });
  }
  const message = buildRequest(target, body, { variables, query, headers });
  const call: CallContext = {
    caller,
    log,
    signal,
    timeoutMs,
    tellStanding(standing) {
      exchange.standing = standing;
    },
  };
  const extra = ignoredHeaders(body?.ignored ?? []);
  signal.throwIfAborted();
  if (target.kind === "unary") {
    const answer = await target.call(message, call);
    signal.throwIfAborted();
    answerUnary(exchange, target, answer, extra);
  } else {
    const batches = target.call(message, call);
    const encode = createEventEncoder(target, tellsUsage(route.dialect, body));
    const { keepAliveMs, open } = options;
    // What was asked is not kept while it is answered.
    return answerStream(exchange, { target, batches, encode, headers: extra, keepAliveMs, signal, open });
  }
}

async function readDecodedBody(
  route: Route,
  request: Exchange["request"],
  bounds: BodyBounds,
): Promise<DecodedBody | undefined> {
  const { plain } = route;
  if (plain.body === undefined) return undefined;
  return decodeBody(plain, await readJsonBody(request, bounds, jsonTextKeys(bodyOf(plain))));
}

function tellsUsage(dialect: Dialect, body: DecodedBody | undefined): boolean {
  return body !== undefined && isMessage(body.message, ChatCompletionParamsSchema) && wantsUsage(dialect, body.message);
}
