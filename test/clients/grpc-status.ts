import { fromBinary, type Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { Metadata } from "@grpc/grpc-js";

/** A google.rpc.Status: the trailer in which gRPC carries the details of an error. */
export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
  /** The details of that type. */
  details<T extends Message>(schema: GenMessage<T>): T[];
}

/** Reads the trailer `grpc-status-details-bin`; fails when it is not there once. */
export function readStatus(trailers: Metadata): GrpcStatus {
  const values = trailers.get("grpc-status-details-bin");
  const [bytes] = values;
  if (values.length !== 1 || typeof bytes !== "object") throw new Error(`${values.length} trailers with a status`);
  let code = 0;
  let message = "";
  const details: { url: string; value: Uint8Array }[] = [];
  eachField(bytes, (field, reader) => {
    if (field === 1) code = reader.int32();
    else if (field === 2) message = reader.string();
    else details.push(readAny(reader.bytes()));
  });
  return {
    code,
    message,
    details: (schema) =>
      details
        .filter(({ url }) => url === `type.googleapis.com/${schema.typeName}`)
        .map(({ value }) => fromBinary(schema, value)),
  };
}

function readAny(bytes: Uint8Array): { url: string; value: Uint8Array } {
  let url = "";
  let value = new Uint8Array();
  eachField(bytes, (field, reader) => {
    if (field === 1) url = reader.string();
    else value = new Uint8Array(reader.bytes());
  });
  return { url, value };
}

function eachField(bytes: Uint8Array, read: (field: number, reader: BinaryReader) => void): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field] = reader.tag();
    read(field, reader);
  }
}
