import type { DescMethod, Message } from "@bufbuild/protobuf";
import { createMethodSerializationLookup, type UniversalHandlerOptions } from "@connectrpc/connect/protocol";
import { contentTypeJson, contentTypeProto } from "@connectrpc/connect/protocol-grpc";
import type { ServedMethod } from "../served-method.ts";
import type { BinaryOutput } from "./binary-output.ts";
import { compileDecoder } from "./compile-decoder.ts";
import { compileEncoder } from "./compile-encoder.ts";

/** An rpc with the form that its messages have on the wire. */
export interface GrpcMethod {
  readonly served: ServedMethod;
  /** The rpc alone, as a list of all that a request may be for. */
  readonly methods: readonly DescMethod[];
  /** Of answers. */
  readonly contentType: string;
  /** Reads a request. */
  parse(bytes: Uint8Array): Message;
  /** Writes an answer. */
  write(output: BinaryOutput, message: Message): void;
}

type Limits = Pick<UniversalHandlerOptions, "readMaxBytes" | "jsonOptions">;

/** Largest message that may be sent: what its prefix can tell. */
const WRITE_MAX_BYTES = 0xffffffff;

/** An rpc in each of its forms, by the content type of requests. */
export function methodsByType(
  served: ServedMethod,
  { readMaxBytes, jsonOptions }: Limits,
): ReadonlyMap<string, GrpcMethod> {
  const limits = { readMaxBytes, writeMaxBytes: WRITE_MAX_BYTES };
  const { getI, getO } = createMethodSerializationLookup(served.method, undefined, jsonOptions, limits);
  const of = { served, methods: [served.method] };
  const decode = compileDecoder(served.method.input);
  const encode = compileEncoder(served.method.output);
  const binary: GrpcMethod = {
    ...of,
    contentType: contentTypeProto,
    parse: (bytes) => decode(bytes) ?? getI(true).parse(bytes),
    write(output, message) {
      const before = output.size;
      if (encode(output, message)) return;
      output.rewind(before);
      output.raw(getO(true).serialize(message));
    },
  };
  const json: GrpcMethod = {
    ...of,
    contentType: contentTypeJson,
    parse: getI(false).parse,
    write: (output, message) => output.raw(getO(false).serialize(message)),
  };
  return new Map([
    ["application/grpc", binary],
    [contentTypeProto, binary],
    [contentTypeJson, json],
  ]);
}
