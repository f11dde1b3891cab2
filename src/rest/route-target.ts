import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { CallContext, Operations } from "../gateway/operation.ts";
import { CallOptionsSchema } from "../gen/parley/chat/v1/chat_service_pb.ts";
import { CallReportSchema } from "../gen/parley/chat/v1/report_pb.ts";
import { type BoundField, bindHeaders, bindVariable } from "./bound-field.ts";
import { findFieldOfType, type MessageField, requireMessageField } from "./field-path.ts";
import type { HttpBinding } from "./http-binding.ts";

/** An rpc as a route calls it: where the parts of the HTTP request go, and where those of the answer come from. */
export interface RouteTarget {
  readonly method: DescMethod;
  /** In the order of the path template. */
  readonly variables: readonly BoundField[];
  readonly headers: readonly BoundField[];
  /** What the HTTP body fills: a field, the whole request, or nothing. */
  readonly body: MessageField | "*" | undefined;
  /** The field of the gateway's own options. */
  readonly options: MessageField | undefined;
  /** The field of the response, or of the streamed messages, that the answer's body carries; undefined: all of it. */
  readonly responseBody: MessageField | undefined;
  /** The field of the response that says what was done. */
  readonly report: MessageField | undefined;
}

/** A unary rpc as a route calls it. */
export interface UnaryTarget extends RouteTarget {
  readonly kind: "unary";
  call(request: Message, call: CallContext): Promise<Message>;
}

/** A server-streaming rpc as a route calls it. */
export interface StreamTarget extends RouteTarget {
  readonly kind: "stream";
  call(request: Message, call: CallContext): AsyncIterable<readonly Message[]>;
}

/** Resolves a binding of a unary rpc. Throws an Error on names of fields or operations that do not exist. */
export function resolveUnary(binding: HttpBinding, operations: Operations): UnaryTarget {
  const call = findOperation(binding.method, operations) as UnaryTarget["call"];
  return { kind: "unary", call, ...resolveFields(binding) };
}

/** Resolves the streaming rpc that takes the same HTTP requests as `binding` does. */
export function resolveStream(
  binding: HttpBinding,
  method: DescMethod,
  responseBody: string,
  operations: Operations,
): StreamTarget {
  const call = findOperation(method, operations) as StreamTarget["call"];
  return { kind: "stream", call, ...resolveFields({ ...binding, method, responseBody }) };
}

function resolveFields({ method, path, body, responseBody }: HttpBinding): RouteTarget {
  const { input, output } = method;
  const where = `${method.name} at ${path.source}`;
  return {
    method,
    variables: path.variables.map(({ field }) => bindVariable(input, field)),
    headers: bindHeaders(input),
    body: body === "" ? undefined : body === "*" ? body : requireMessageField(input, body, `${where}, body`),
    options: findFieldOfType(input, CallOptionsSchema),
    responseBody:
      responseBody === "" ? undefined : requireMessageField(output, responseBody, `${where}, response_body`),
    report: findFieldOfType(output, CallReportSchema),
  };
}

function findOperation(method: DescMethod, operations: Operations): (...parameters: never) => unknown {
  const operation = (operations as unknown as Readonly<Record<string, unknown>>)[method.localName];
  if (typeof operation !== "function") throw new Error(`there is no operation "${method.localName}"`);
  return operation.bind(operations);
}
