import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { OPEN_CALLER } from "../../src/admission/caller.ts";
import { createGateway } from "../../src/gateway/gateway.ts";
import type { CallContext } from "../../src/gateway/operation.ts";
import { rowOf } from "../../src/gateway/request-log/row-of.ts";
import {
  CreateChatCompletionRequestSchema,
  StreamChatCompletionRequestSchema,
} from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import type { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { createSandbox } from "../../src/providers/sandbox/provider.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";
import { createScriptedBackend } from "../../src/upstream/scripted-backend.ts";
import { catalogueOf, NO_LIMITER, ONE_TRY } from "../support/routing.ts";

const backend = createScriptedBackend(createSandbox({ tokenDelayMs: 0 }));
const { operations } = createGateway(catalogueOf([backend], ["sandbox/echo"]), ONE_TRY, NO_LIMITER);

const callOf = (logContent: boolean): CallContext => ({
  caller: { ...OPEN_CALLER, logContent },
  log: new CallLog("req_1", "grpc"),
  signal: new AbortController().signal,
  timeoutMs: undefined,
});

const paramsOf = (model: string): MessageInitShape<typeof ChatCompletionParamsSchema> => ({
  model,
  messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: "one two three" } }] }],
});

/** What the log of requests would have of a call that is over. */
function kept({ log }: CallContext): { readonly params: unknown; readonly completion: unknown } {
  const { params, completion } = rowOf(log, { status: 200, durationMs: 1 });
  return { params: JSON.parse(params ?? "null"), completion: JSON.parse(completion ?? "null") };
}

/** Makes a call in one piece or streamed; of a stream, at most so many batches are read. */
async function make(
  call: CallContext,
  model: string,
  isStreamed: boolean,
  batches = Number.POSITIVE_INFINITY,
): Promise<string> {
  const params = paramsOf(model);
  let said = "";
  try {
    if (!isStreamed) {
      const request = create(CreateChatCompletionRequestSchema, { params });
      const { completion } = await operations.createChatCompletion(request, call);
      return String(completion?.choices[0]?.message?.content[0]?.kind.value);
    }
    let read = 0;
    const request = create(StreamChatCompletionRequestSchema, { params });
    for await (const batch of operations.streamChatCompletion(request, call)) {
      for (const { chunk } of batch) said += chunk?.choices[0]?.delta?.content ?? "";
      if (++read === batches) break;
    }
  } catch {
    // The log has it.
  }
  return said;
}

const PARAMS = (model: string): object => ({ model, messages: [{ role: "user", content: "one two three" }] });

describe("the content of calls", () => {
  it.each([false, true])("is kept where the caller has it kept; streamed: %s", async (isStreamed) => {
    const call = callOf(true);
    const said = await make(call, "sandbox/echo", isStreamed);
    expect(said).toContain("one two three");
    expect(kept(call)).toEqual({
      params: PARAMS("sandbox/echo"),
      completion: expect.objectContaining({
        object: "chat.completion",
        id: expect.stringMatching(/^chatcmpl-/),
        model: "sandbox/echo",
        choices: [
          expect.objectContaining({
            index: 0,
            message: expect.objectContaining({ role: "assistant", content: said }),
            finish_reason: "stop",
          }),
        ],
        usage: expect.objectContaining({ total_tokens: expect.any(Number) }),
      }),
    });
  });

  it.each([false, true])("is not kept where the caller does not; streamed: %s", async (isStreamed) => {
    const call = callOf(false);
    await make(call, "sandbox/echo", isStreamed);
    expect(call.log.content).toBeUndefined();
    expect(kept(call)).toEqual({ params: null, completion: null });
  });

  it.each([
    ["sandbox/fault-500", false],
    ["sandbox/fault-500", true],
    ["no-such-model", false],
    ["no-such-model", true],
  ])("of %s, which answers nothing, is the parameters; streamed: %s", async (model, isStreamed) => {
    const call = callOf(true);
    await make(call, model, isStreamed);
    expect(call.log.error).toBeDefined();
    expect(kept(call)).toEqual({ params: PARAMS(model), completion: null });
  });

  it("is what was sent of a stream that failed", async () => {
    const call = callOf(true);
    const said = await make(call, "sandbox/fault-cut", true);
    expect(said).not.toBe("");
    expect(call.log.error?.reasonName).toBe("UPSTREAM_STREAM_INTERRUPTED");
    expect(kept(call).completion).toMatchObject({
      choices: [{ message: { role: "assistant", content: said }, finish_reason: null }],
    });
  });

  it("is what was sent of a stream whose reader left", async () => {
    const call = callOf(true);
    const said = await make(call, "sandbox/fault-stall", true, 1);
    expect(said).not.toBe("");
    expect(kept(call).completion).toMatchObject({ choices: [{ message: { content: said }, finish_reason: null }] });
  });
});
