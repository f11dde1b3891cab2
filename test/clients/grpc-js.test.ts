/** The gRPC library of Node, with the contract loaded from its `.proto` files. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client, compressionAlgorithms, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { collect, failureOf, until } from "../support/collect.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { type GrpcClient, openGrpc, type StreamedMessage } from "./grpc-client.ts";
import { readStatus } from "./grpc-status.ts";

const CHAT = "parley.chat.v1.ChatService";
const user = (text: string) => [{ role: "ROLE_USER", content: [{ text }] }];
const echo = (text: string) => ({ params: { model: "sandbox/echo", messages: user(text) } });
const fault = (kind: string) => ({ params: { model: `sandbox/fault-${kind}`, messages: user("one two three four") } });

/** A struct of numbers as the loader writes it. */
const sandbox = (knobs: Readonly<Record<string, number>>) => ({
  fields: {
    sandbox: {
      structValue: {
        fields: Object.fromEntries(Object.entries(knobs).map(([name, numberValue]) => [name, { numberValue }])),
      },
    },
  },
});

let gateway: TestGateway;
let chat: GrpcClient;
beforeAll(async () => {
  gateway = await startTestGateway();
  chat = openGrpc(gateway.url, CHAT);
});
afterAll(async () => {
  chat.close();
  expect(gateway.openCalls).toBe(0);
  await gateway.stop();
});
const idle = () => until(() => gateway.openCalls === 0, "no open call");
const textOf = (messages: readonly StreamedMessage[]) =>
  messages.map(({ chunk }) => chunk?.choices?.[0]?.delta?.content ?? "").join("");

async function errorOf(promise: Promise<unknown>): Promise<ServiceError> {
  const thrown = (await failureOf(promise)) as ServiceError;
  expect(thrown.metadata).toBeDefined();
  return thrown;
}

describe("grpc-js", () => {
  it("answers a unary call", async () => {
    const { message } = await chat.unary("CreateChatCompletion", echo("Grüße 👋🏽, 世界"));
    expect(message).toMatchObject({
      completion: {
        id: expect.stringMatching(/^chatcmpl-/),
        model: "sandbox/echo",
        choices: [
          {
            finishReason: "FINISH_REASON_STOP",
            message: { role: "ROLE_ASSISTANT", content: [{ text: "Grüße 👋🏽, 世界" }] },
          },
        ],
        usage: { totalTokens: expect.any(Number) },
      },
      report: { provider: "sandbox", model: "echo", attempts: [{ outcome: "OUTCOME_SUCCEEDED" }] },
    });
  });

  it("streams", async () => {
    const messages = await collect<StreamedMessage>(chat.stream("StreamChatCompletion", echo("one two three")));
    expect(textOf(messages)).toBe("one two three");
    const ends = messages.flatMap(({ chunk }) => chunk?.choices ?? []).map(({ finishReason }) => finishReason);
    expect(ends.filter((reason) => reason === "FINISH_REASON_STOP")).toHaveLength(1);
    expect(messages[0]?.report).toMatchObject({ provider: "sandbox", model: "echo" });
    expect(messages.at(-1)).toMatchObject({
      chunk: { usage: { totalTokens: expect.any(Number) } },
      report: { attempts: [{ target: "sandbox/echo", outcome: "OUTCOME_SUCCEEDED" }] },
    });
  });

  it("lists models", async () => {
    const models = openGrpc(gateway.url, "parley.models.v1.ModelsService");
    onTestFinished(() => models.close());
    const { message } = await models.unary("ListModels", {});
    expect(message).toMatchObject({ models: expect.arrayContaining([expect.objectContaining({ id: "auto" })]) });
    const error = await errorOf(models.unary("GetModel", { model: "nobody/nothing" }));
    expect(error).toMatchObject({
      code: status.NOT_FOUND,
      details: "The model 'nobody/nothing' does not exist: there is no provider 'nobody' here",
    });
  });

  it("takes the request id of the metadata and gives it back, or makes one", async () => {
    const named = await chat.unary("CreateChatCompletion", echo("a"), { metadata: { "x-request-id": "grpc-1" } });
    expect(named.headers.get("x-request-id")).toEqual(["grpc-1"]);
    expect(named.message).toMatchObject({ report: { requestId: "grpc-1" } });
    const made = await chat.unary("CreateChatCompletion", echo("a"));
    expect(made.headers.get("x-request-id")).toEqual([expect.stringMatching(/^req_/)]);
    await until(() => gateway.lines.some(({ requestId }) => requestId === "grpc-1"), "a line of the call");
    expect(gateway.lines.find(({ requestId }) => requestId === "grpc-1")).toMatchObject({ door: "grpc", status: "ok" });
  });

  it("ends a call that passes its deadline, on both sides", async () => {
    const unary = chat.unary("CreateChatCompletion", fault("stall"), { deadline: Date.now() + 200 });
    expect((await errorOf(unary)).code).toBe(status.DEADLINE_EXCEEDED);
    const stream = collect(chat.stream("StreamChatCompletion", fault("stall"), { deadline: Date.now() + 200 }));
    expect((await errorOf(stream)).code).toBe(status.DEADLINE_EXCEEDED);
    await idle();
  });

  it("ends a stream that its client cancels", async () => {
    const stream = chat.stream("StreamChatCompletion", fault("stall"));
    const received: StreamedMessage[] = [];
    const reading = (async () => {
      for await (const message of stream) {
        received.push(message);
        if (received.length === 2) stream.cancel();
      }
    })();
    expect((await errorOf(reading)).code).toBe(status.CANCELLED);
    await idle();
    await until(() => gateway.lines.some(({ reason }) => reason === "CANCELLED"), "a line that says so");
  });
});

describe("errors on grpc-js", () => {
  it("have google.rpc details: what is wrong, and with which field", async () => {
    const request = { params: { model: "auto", messages: user("a"), temperature: 3, topP: 2 } };
    const error = await errorOf(chat.unary("CreateChatCompletion", request));
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, details: expect.stringMatching(/^temperature is 3/) });
    const { code, message, details } = readStatus(error.metadata);
    expect([code, message]).toEqual([status.INVALID_ARGUMENT, error.details]);
    expect(details(ErrorInfoSchema)).toMatchObject([
      {
        reason: "INVALID_VALUE",
        domain: "parley",
        metadata: { type: "invalid_request_error", code: "invalid_value", param: "temperature" },
      },
    ]);
    expect(details(BadRequestSchema)[0]?.fieldViolations.map(({ field }) => field)).toEqual([
      "params.temperature",
      "params.top_p",
    ]);
  });

  it("say when to call again", async () => {
    const extra = sandbox({ retry_after_ms: 2500 });
    const params = { ...fault("429").params, extra };
    const error = await errorOf(chat.unary("CreateChatCompletion", { params }));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(readStatus(error.metadata).details(RetryInfoSchema)).toMatchObject([
      { retryDelay: { seconds: 2n, nanos: 500_000_000 } },
    ]);
    expect(error.metadata.get("retry-after-ms")).toEqual(["2500"]);
  });

  it("end a stream after its messages", async () => {
    const received: StreamedMessage[] = [];
    const reading = (async () => {
      for await (const message of chat.stream("StreamChatCompletion", fault("cut"))) received.push(message);
    })();
    const error = await errorOf(reading);
    expect(error.code).toBe(status.UNAVAILABLE);
    expect(readStatus(error.metadata).details(ErrorInfoSchema)[0]?.reason).toBe("UPSTREAM_STREAM_INTERRUPTED");
    expect(textOf(received)).not.toBe("");
  });

  it("are readable, whatever is in them", async () => {
    for (const model of ["nobody/nothing: 50 %, 世界?", `${"x".repeat(99)}👋`]) {
      const error = await errorOf(chat.unary("CreateChatCompletion", { params: { model, messages: user("a") } }));
      expect(error.code).toBe(status.NOT_FOUND);
      expect(error.details).toBe(readStatus(error.metadata).message);
      expect(error.details).toContain(model.slice(0, 20));
    }
  });

  it("say that a method is not there", async () => {
    const client = new Client(new URL(gateway.url).host, credentials.createInsecure());
    onTestFinished(() => client.close());
    const bytes = (message: Buffer): Buffer => message;
    for (const path of [`/${CHAT}/Nothing`, "/no.Such/Method"]) {
      const call = new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), (error, answer) =>
          error === null ? resolve(answer) : reject(error),
        );
      });
      expect((await errorOf(call)).code).toBe(status.UNIMPLEMENTED);
    }
  });

  it("refuse a parameter that is for REST", async () => {
    const error = await errorOf(chat.unary("CreateChatCompletion", { params: { ...echo("a").params, async: true } }));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(readStatus(error.metadata).details(ErrorInfoSchema)[0]?.reason).toBe("INVALID_VALUE");
  });
});

describe("messages on grpc-js", () => {
  /** A gateway that takes messages of 100,000 bytes. */
  async function openSmall(options: Parameters<typeof openGrpc>[2]): Promise<GrpcClient> {
    const small = await startTestGateway({ limits: { maxBodyBytes: 100_000 } });
    const client = openGrpc(small.url, CHAT, options);
    onTestFinished(async () => {
      client.close();
      await small.stop();
    });
    return client;
  }
  const GZIP = { "grpc.default_compression_algorithm": compressionAlgorithms.gzip };

  it("are taken up to the limit, and refused above it", async () => {
    const client = await openSmall({});
    await client.unary("CreateChatCompletion", echo("a ".repeat(49_000)));
    const error = await errorOf(client.unary("CreateChatCompletion", echo("a ".repeat(51_000))));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
  });

  it("are taken when they are packed, and measured when they are unpacked", async () => {
    const client = await openSmall(GZIP);
    const { message } = await client.unary("CreateChatCompletion", echo("tick tock ".repeat(400)));
    expect(message).toMatchObject({
      completion: { choices: [{ message: { content: [{ text: "tick tock ".repeat(400) }] } }] },
    });
    const error = await errorOf(client.unary("CreateChatCompletion", echo("a ".repeat(51_000))));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
  });

  it("wait for a client that reads slowly, and all arrive", async () => {
    const text = Array.from({ length: 2_000 }, (_, at) => `w${at % 10}`).join(" ");
    const stream = chat.stream("StreamChatCompletion", { params: { ...echo(text).params, n: 4 } });
    const iterator = stream[Symbol.asyncIterator]();
    const received: StreamedMessage[] = [(await iterator.next()).value as StreamedMessage];
    // Far more than the window of the connection holds is still to come, so the server must be waiting.
    await sleep(300);
    expect(gateway.openCalls).toBe(1);
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      received.push(next.value as StreamedMessage);
      if (received.length % 500 === 0) await sleep(1);
    }
    const choices = received.flatMap(({ chunk }) => chunk?.choices ?? []);
    for (const index of [0, 1, 2, 3]) {
      const own = choices.filter((choice) => (choice.index ?? 0) === index);
      expect(own.map(({ delta }) => delta?.content ?? "").join("")).toBe(text);
    }
    await idle();
  });
});

describe("grpc.health.v1 on grpc-js", () => {
  const open = (url: string): GrpcClient => {
    const client = openGrpc(url, "grpc.health.v1.Health");
    onTestFinished(() => client.close());
    return client;
  };

  it("Check tells of the server and of its services", async () => {
    const health = open(gateway.url);
    for (const service of ["", CHAT]) {
      expect((await health.unary("Check", { service })).message).toEqual({ status: "SERVING" });
    }
    expect((await errorOf(health.unary("Check", { service: "no.Such" }))).code).toBe(status.NOT_FOUND);
  });

  it("Watch tells of the end of the server", async () => {
    const ending = await startTestGateway();
    const health = open(ending.url);
    const stream = health.stream<{ status: string }>("Watch", { service: CHAT });
    const seen: string[] = [];
    for await (const message of stream) {
      seen.push(message.status);
      if (seen.length === 1) void ending.stop();
    }
    expect(seen).toEqual(["SERVING", "NOT_SERVING"]);
    await ending.stop();
  });
});
