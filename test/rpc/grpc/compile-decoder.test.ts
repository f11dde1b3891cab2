import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, ListValueSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CreateChatCompletionRequestSchema } from "../../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { UsageSchema } from "../../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema } from "../../../src/gen/parley/chat/v1/params_pb.ts";
import { compileDecoder } from "../../../src/rpc/grpc/compile-decoder.ts";
import { SERVICES } from "../../../src/rpc/handler.ts";
import { messageArbitrary } from "./message-arbitrary.ts";

/** What the decoder reads; undefined for what it leaves to the library. */
const decode = (desc: DescMessage, bytes: Uint8Array): Message | undefined => compileDecoder(desc)(bytes);

/** Holds the decoder to the library, where it does not leave the bytes. Returns whether it did not. */
function agrees(desc: DescMessage, bytes: Uint8Array): boolean {
  const message = decode(desc, bytes);
  if (message === undefined) return false;
  const expected = fromBinary(desc, bytes);
  expect(message).toEqual(expected);
  expect(Buffer.from(toBinary(desc, message)).equals(toBinary(desc, expected))).toBe(true);
  return true;
}

const REQUESTS = SERVICES.flatMap(({ methods }) => methods.map(({ input }) => [input.name, input] as const));
/** Varints behind a tag, and what else is changed of a message. */
const DAMAGE = fc.record({ at: fc.nat(), remove: fc.nat(2), insert: fc.uint8Array({ maxLength: 3 }) });

describe("compileDecoder()", () => {
  it.each(REQUESTS)("reads what fromBinary() reads, or leaves it: %s", (_name, desc) => {
    fc.assert(
      fc.property(messageArbitrary(desc, "all"), (message) => {
        agrees(desc, toBinary(desc, message));
      }),
      { numRuns: 100 },
    );
  });

  it.each(REQUESTS)("reads no damaged message otherwise than fromBinary(): %s", (_name, desc) => {
    fc.assert(
      fc.property(messageArbitrary(desc, "common"), DAMAGE, (message, { at, remove, insert }) => {
        const bytes = Buffer.from(toBinary(desc, message));
        const place = at % (bytes.length + 1);
        agrees(desc, Buffer.concat([bytes.subarray(0, place), insert, bytes.subarray(place + remove)]));
      }),
      { numRuns: 100 },
    );
  });

  it("reads no bytes otherwise than fromBinary()", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        agrees(CreateChatCompletionRequestSchema, bytes);
        agrees(UsageSchema, bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it("reads an ordinary request itself", () => {
    const params = {
      model: "sandbox/echo",
      messages: [
        { role: Role.SYSTEM, content: [{ kind: { case: "text" as const, value: "Grüße, 世界" } }] },
        { role: Role.USER, content: [{ kind: { case: "text" as const, value: "a".repeat(70_000) } }] },
      ],
      temperature: 0.5,
      maxCompletionTokens: 300,
      seed: 2n ** 40n,
      modalities: [1, 2],
      stream: true,
    };
    const request = create(CreateChatCompletionRequestSchema, { params });
    const bytes = toBinary(CreateChatCompletionRequestSchema, request);
    expect(agrees(CreateChatCompletionRequestSchema, bytes)).toBe(true);
  });

  const part = (value: string): Uint8Array =>
    toBinary(
      CreateChatCompletionRequestSchema,
      create(CreateChatCompletionRequestSchema, { params: { model: value } }),
    );

  it.each<[what: string, desc: DescMessage, bytes: Uint8Array]>([
    ["a message in two parts", CreateChatCompletionRequestSchema, Buffer.concat([part("a"), part("b")])],
    ["a field that is not known", ChatCompletionParamsSchema, Uint8Array.of(0xf8, 0x7f, 1)],
    ["a field of another kind", UsageSchema, Uint8Array.of(0x0a, 1, 1)],
    ["a field without a number", UsageSchema, Uint8Array.of(0, 1)],
    ["a number that is cut", UsageSchema, Uint8Array.of(8, 0x80)],
    ["a number of more than 32 bits", UsageSchema, Uint8Array.of(8, 0xff, 0xff, 0xff, 0xff, 0xff, 1)],
    ["text that is not UTF-8", ChatCompletionParamsSchema, Uint8Array.of(10, 1, 0xff)],
    ["text beyond the end", ChatCompletionParamsSchema, Uint8Array.of(10, 2, 97)],
    ["a map", ChatCompletionParamsSchema, mapBytes()],
    ["a Struct", ChatCompletionParamsSchema, structBytes()],
    ["messages that are deep in one another", ListValueSchema, deepBytes(40)],
    ["messages that are too deep in one another for the library", ListValueSchema, deepBytes(10_000)],
    [
      "proto2",
      FileDescriptorSetSchema,
      toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [{}] })),
    ],
  ])("leaves %s", (_what, desc, bytes) => {
    expect(decode(desc, bytes)).toBeUndefined();
  });

  it("reads an empty message", () => {
    expect(decode(UsageSchema, new Uint8Array())).toEqual(create(UsageSchema));
  });
});

const mapBytes = (): Uint8Array =>
  toBinary(ChatCompletionParamsSchema, create(ChatCompletionParamsSchema, { metadata: { a: "b" } }));

const structBytes = (): Uint8Array =>
  toBinary(ChatCompletionParamsSchema, create(ChatCompletionParamsSchema, { extra: { a: 1 } }));

/** A list in a list in a list. */
function deepBytes(depth: number): Uint8Array {
  let bytes: Buffer = Buffer.alloc(0);
  for (let level = 0; level < depth; level++) {
    for (const tag of [0x32, 0x0a]) bytes = Buffer.concat([Buffer.from([tag, ...varint(bytes.length)]), bytes]);
  }
  return bytes;
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
