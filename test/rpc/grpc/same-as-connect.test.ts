/**
 * What clients of gRPC send every day is answered on the streams of HTTP/2 themselves, and all else by Connect. A query, which gRPC
 * has no use for, makes something else of any call. So each is made both ways, and what comes of it has to be the same.
 */
import { createHash } from "node:crypto";
import { brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ErrorInfoSchema } from "../../../src/gen/google/rpc/error_details_pb.ts";
import {
  CreateChatCompletionResponseSchema,
  StreamChatCompletionResponseSchema,
} from "../../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Role } from "../../../src/gen/parley/chat/v1/message_pb.ts";
import { until } from "../../support/collect.ts";
import { startTestGateway, type TestGateway } from "../../support/gateway.ts";
import {
  CREATE,
  envelope,
  openRaw,
  type RawAnswer,
  type RawCall,
  type RawClient,
  requestBytes,
  STREAM,
} from "../../support/raw-call.ts";
import { readRawError } from "../../support/raw-error.ts";

const KEY = "the-secret-of-the-key";
const MAX_BYTES = 20_000;
/** Long enough for an answer that is compressed. */
const LONG = "tick tock ".repeat(300);

const message = (model: string, text: string): Buffer =>
  requestBytes({ model, messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: text } }] }] });
const ECHO = message("sandbox/echo", "Hello, Grüße");
const WHOLE = envelope(ECHO);
const JSON_MESSAGE = '{"params":{"model":"sandbox/echo","messages":[{"role":"ROLE_USER","content":[{"text":"a"}]}]}}';

const BODIES: readonly (readonly [what: string, body: Uint8Array])[] = [
  ["a message", WHOLE],
  ["a long message", envelope(message("sandbox/echo", LONG))],
  ["a model that there is not", envelope(message("sandbox/none", "a"))],
  ["a model whose provider fails", envelope(message("sandbox/fault-429", "a"))],
  ["a model that fails after its first tokens", envelope(message("sandbox/fault-cut", "a b c d e f g h"))],
  ["a message that is refused", envelope(requestBytes({ model: "sandbox/echo", messages: [] }))],
  ["bytes that are no message", envelope(Buffer.from([255, 255, 255]))],
  ["a message in JSON", envelope(Buffer.from(JSON_MESSAGE))],
  ["JSON with an unknown key", envelope(Buffer.from('{"parms":{}}'))],
  ["nothing", Buffer.alloc(0)],
  ["half of a prefix", WHOLE.subarray(0, 3)],
  ["half of a message", WHOLE.subarray(0, 12)],
  ["two messages", Buffer.concat([WHOLE, WHOLE])],
  ["a compressed message", envelope(gzipSync(ECHO), 1)],
  ["a message that says that it is compressed", envelope(ECHO, 1)],
  ["a message that is too large", envelope(Buffer.alloc(MAX_BYTES + 1))],
  ["a message that is too large unpacked", envelope(gzipSync(Buffer.alloc(MAX_BYTES + 1)), 1)],
  ["a prefix of 4 GiB", Buffer.from([0, 255, 255, 255, 255, 1])],
];

const CALLS = fc.record({
  path: fc.constantFrom(CREATE, STREAM),
  body: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...BODIES.slice(0, 3)) }, fc.constantFrom(...BODIES)),
  type: fc.constantFrom("application/grpc", "application/grpc+proto", "application/grpc+json"),
  key: fc.oneof({ weight: 9, arbitrary: fc.constant(KEY) }, fc.constant("another")),
  encoding: fc.constantFrom(undefined, undefined, "identity", "gzip", "br", "snappy"),
  accepted: fc.constantFrom(undefined, "identity,deflate,gzip", "br", "snappy", "", "identity"),
  timeout: fc.constantFrom(undefined, undefined, "10S", "1H", "25H", "10", "-1S", ""),
});

interface Outcome {
  readonly head: Readonly<Record<string, unknown>>;
  readonly names: readonly string[];
  readonly status: unknown;
  readonly trailers: readonly string[];
  readonly messages: readonly JsonValue[];
  readonly reason: string | undefined;
  readonly line: Readonly<Record<string, unknown>>;
}

describe("gRPC without Connect, and by Connect", () => {
  let gateway: TestGateway;
  let client: RawClient;
  let calls = 0;
  beforeAll(async () => {
    const sha256 = createHash("sha256").update(KEY).digest("hex");
    gateway = await startTestGateway({
      limits: { maxBodyBytes: MAX_BYTES },
      auth: { keys: [{ id: "limited", sha256, limits: { requests_per_minute: 100_000 } }] },
    });
    client = openRaw(gateway.url);
  });
  afterAll(async () => {
    client.close();
    await gateway.stop();
    expect([gateway.openCalls, gateway.openConnections]).toEqual([0, 0]);
  });

  /** Makes a call, and tells what came of it, without what is another one each time. */
  async function outcomeOf(path: string, query: string, call: RawCall): Promise<Outcome> {
    const requestId = `call-${++calls}`;
    const answer = await client.call(path + query, {
      ...call,
      headers: { ...call.headers, "x-request-id": requestId },
    });
    const ownLine = () => gateway.lines.find((line) => line["requestId"] === requestId);
    await until(() => ownLine() !== undefined, "a line of the call");
    const { operation, door, status, reason, keyId, model, err } = ownLine() ?? {};
    const isError = answer.trailers["grpc-status"] !== "0";
    return {
      head: pick(answer.headers, ":status", "content-type", "grpc-encoding"),
      names: Object.keys(answer.headers).sort(),
      status: answer.trailers["grpc-status"],
      trailers: Object.keys(answer.trailers).sort(),
      messages: messagesOf(answer, path).map(withoutChance),
      reason: isError ? readRawError(answer).findDetails(ErrorInfoSchema)[0]?.reason : undefined,
      line: { operation, door, status, reason, keyId, model, err },
    };
  }

  it("comes to the same", async () => {
    await fc.assert(
      fc.asyncProperty(CALLS, async ({ path, body: [what, body], type, key, encoding, accepted, timeout }) => {
        // Of two faults at once, either may be told.
        fc.pre(what !== "two messages" || type !== "application/grpc+json");
        const headers = {
          te: "trailers",
          "content-type": type,
          authorization: `Bearer ${key}`,
          ...(encoding === undefined ? {} : { "grpc-encoding": encoding }),
          ...(accepted === undefined ? {} : { "grpc-accept-encoding": accepted }),
          ...(timeout === undefined ? {} : { "grpc-timeout": timeout }),
        };
        expect(await outcomeOf(path, "", { headers, body })).toEqual(await outcomeOf(path, "?", { headers, body }));
      }),
      { numRuns: 150 },
    );
  });
});

const pick = (headers: object, ...names: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name)));

/** The messages of an answer, unpacked. */
function messagesOf({ headers, body }: RawAnswer, path: string): JsonValue[] {
  const desc = path === CREATE ? CreateChatCompletionResponseSchema : StreamChatCompletionResponseSchema;
  const messages: JsonValue[] = [];
  for (let at = 0; at < body.length; ) {
    const data = body.subarray(at + 5, at + 5 + body.readUInt32BE(at + 1));
    const unpack = headers["grpc-encoding"] === "br" ? brotliDecompressSync : gunzipSync;
    const unpacked = body[at] === 0 ? data : unpack(data);
    const isJson = headers["content-type"] === "application/grpc+json";
    messages.push(
      isJson ? (JSON.parse(unpacked.toString("utf8")) as JsonValue) : toJson(desc, fromBinary(desc, unpacked)),
    );
    at += 5 + data.length;
  }
  return messages;
}

/** What is different each time: ids, and times. */
const withoutChance = (message: JsonValue): JsonValue =>
  JSON.parse(
    JSON.stringify(message, (key, value: unknown) =>
      ["id", "created", "requestId", "upstreamId", "timeToFirstChunk", "duration", "startTime"].includes(key)
        ? undefined
        : value,
    ),
  ) as JsonValue;
