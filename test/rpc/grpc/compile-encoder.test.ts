import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CreateChatCompletionResponseSchema } from "../../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { ChatCompletionSchema, UsageSchema } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { ListRequestsResponseSchema } from "../../../src/gen/parley/requests/v1/requests_service_pb.ts";
import { BinaryOutput } from "../../../src/rpc/grpc/binary-output.ts";
import { compileEncoder } from "../../../src/rpc/grpc/compile-encoder.ts";
import { SERVICES } from "../../../src/rpc/handler.ts";
import { messageArbitrary } from "./message-arbitrary.ts";

/** What the encoder writes; undefined for what it leaves to the library. */
function encode(desc: DescMessage, message: Message): Buffer | undefined {
  const output = new BinaryOutput();
  return compileEncoder(desc)(output, message) ? output.take() : undefined;
}

const ANSWERS = SERVICES.flatMap(({ methods }) => methods.map(({ output }) => [output.name, output] as const));

describe("compileEncoder()", () => {
  it.each(ANSWERS)("writes what toBinary() writes: %s", (_name, desc) => {
    fc.assert(
      fc.property(messageArbitrary(desc, "common"), (message) => {
        expect(encode(desc, message)?.equals(toBinary(desc, message))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it.each(ANSWERS)("writes what toBinary() writes, or leaves it: %s", (_name, desc) => {
    fc.assert(
      fc.property(messageArbitrary(desc, "all"), (message) => {
        expect(encode(desc, message)?.equals(toBinary(desc, message)) ?? true).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it("writes an ordinary answer itself", () => {
    const message = create(CreateChatCompletionResponseSchema, {
      completion: {
        id: "chatcmpl-1",
        created: 1_790_000_000n,
        model: "sandbox/echo",
        choices: [{ message: { content: [{ kind: { case: "text", value: "Grüße, 世界" } }] }, finishReason: 1 }],
        usage: { promptTokens: 300, completionTokens: 7, totalTokens: 307 },
      },
      report: { duration: { nanos: 5 }, attempts: [{ target: "sandbox/echo", outcome: 1 }] },
    });
    expect(encode(CreateChatCompletionResponseSchema, message)).toEqual(
      Buffer.from(toBinary(CreateChatCompletionResponseSchema, message)),
    );
  });

  it.each<[what: string, desc: DescMessage, message: Message]>([
    ["a Struct", ChatCompletionSchema, create(ChatCompletionSchema, { extra: { a: 1 } })],
    ["a map with something in it", ChatCompletionSchema, create(ChatCompletionSchema, { metadata: { a: "b" } })],
    ["a field that is not known", ChatCompletionSchema, fromBinary(ChatCompletionSchema, Uint8Array.of(0xf8, 0x7f, 1))],
    ["a message of another type", ChatCompletionSchema, create(UsageSchema)],
    ["a list where a message is left", ListRequestsResponseSchema, unknownInList()],
    ["proto2", FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [{}] })],
  ])("leaves %s", (_what, desc, message) => {
    expect(encode(desc, message)).toBeUndefined();
  });

  it.each<[what: string, fields: object]>([
    ["a number with a fraction", { promptTokens: 1.5 }],
    ["a number that is too large", { promptTokens: 2 ** 32 }],
    ["a text where a number is due", { promptTokens: "1" }],
    ["nothing where a number is due", { promptTokens: null }],
  ])("leaves it to the library to refuse %s", (_what, fields) => {
    const message = Object.assign(create(UsageSchema), fields);
    expect(encode(UsageSchema, message)).toBeUndefined();
  });
});

function unknownInList(): Message {
  const message = create(ListRequestsResponseSchema, { requests: [{}, {}] });
  Object.assign(message.requests[1] as Message, { $unknown: [{ no: 9_999, wireType: 0, data: Uint8Array.of(1) }] });
  return message;
}
