import type { JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { endStreamFromJson, errorFromJson } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import type { RawAnswer } from "./raw-call.ts";

/** Length of the prefix of a message. */
const PREFIX = 5;

/** Reads the error of an answer, whichever protocol of rpcs it has; fails when there is none. */
export function readRawError({ headers, trailers, body }: RawAnswer): ConnectError {
  const type = String(headers["content-type"]);
  const none = new ConnectError("no error", Code.Unknown);
  let error: ConnectError | undefined;
  if (type.startsWith("application/grpc-web")) error = findTrailerError(trailerParse(lastMessage(body)));
  else if (type.startsWith("application/grpc")) error = findTrailerError(toHeaders(trailers));
  else if (type.startsWith("application/connect")) error = endStreamFromJson(lastMessage(body)).error;
  else error = errorFromJson(JSON.parse(body.toString("utf8")) as JsonValue, undefined, none);
  if (error === undefined || error === none) throw new Error("the answer has no error");
  return error;
}

function lastMessage(body: Buffer): Buffer {
  let at = 0;
  for (let next = at; next < body.length; next += PREFIX + body.readUInt32BE(next + 1)) at = next;
  return body.subarray(at + PREFIX);
}

function toHeaders(fields: RawAnswer["trailers"]): Headers {
  const all = Object.entries(fields).filter(([name]) => !name.startsWith(":"));
  return new Headers(all.map(([name, value]): [string, string] => [name, String(value)]));
}
