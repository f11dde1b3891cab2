import { type DescMessage, type DescMethod, getOption, type Message } from "@bufbuild/protobuf";
import type { CallContext, Operations } from "../gateway/operation.ts";
import { CallOptionsSchema } from "../gen/parley/chat/v1/chat_service_pb.ts";
import { CallReportSchema } from "../gen/parley/chat/v1/report_pb.ts";
import { events, http_status } from "../gen/parley/options/v1/options_pb.ts";
import { blankOf } from "../openai-json/blank.ts";
import { type BoundField, bindHeaders, bindVariable } from "./bound-field.ts";
import { findFieldOfType, type MessageField, requireMessageField } from "./field-path.ts";
import type { HttpBinding } from "./http-binding.ts";

/** An rpc as a route calls it: where the parts of the HTTP request go, and where those of the answer come from. */
export interface RouteTarget {
  readonly method: DescMethod;
  /** Makes a request in which nothing is set. */
  readonly blank: () => Message;
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
  /** HTTP status of its answer. */
  readonly status: number;
  call(request: Message, call: CallContext): Promise<Message>;
}

/** A server-streaming rpc as a route calls it. */
export interface StreamTarget extends RouteTarget {
  readonly kind: "stream";
  /** What its events are, where they have ids. */
  readonly events: EventFields | undefined;
  call(request: Message, call: CallContext): AsyncIterable<readonly Message[]>;
}

/** Where the parts of an event stand in a streamed message. */
export interface EventFields {
  /** Property that is the event's id. */
  readonly id: string;
  /** Property of the oneof whose member is the event's data; the member's name is the event's. */
  readonly data: string;
  /** Name and message of each member, by its property. The event of a member without a name has none. */
  readonly members: ReadonlyMap<string, { readonly name: string; readonly message: DescMessage }>;
}

/** Resolves a binding of a unary rpc. Throws an Error on names of fields or operations that do not exist. */
export function resolveUnary(binding: HttpBinding, operations: Operations): UnaryTarget {
  const call = findOperation(binding.method, operations) as UnaryTarget["call"];
  const status = getOption(binding.method, http_status) || 200;
  return { kind: "unary", status, call, ...resolveFields(binding) };
}

/** Resolves a binding of a server-streaming rpc with routes of its own; its option `events` says what it streams. */
export function resolveEvents(binding: HttpBinding, operations: Operations): StreamTarget {
  const { method } = binding;
  const call = findOperation(method, operations) as StreamTarget["call"];
  return { kind: "stream", events: eventFields(method), call, ...resolveFields(binding) };
}

function eventFields(method: DescMethod): EventFields {
  const { id, data, unnamed } = getOption(method, events);
  const idField = method.output.fields.find(({ name }) => name === id);
  const oneof = method.output.oneofs.find(({ name }) => name === data);
  if (idField?.scalar === undefined || oneof === undefined) {
    throw new Error(`${method.name}: events must name a field and a oneof of ${method.output.typeName}`);
  }
  const members = oneof.fields.map((field) => {
    if (field.fieldKind !== "message") throw new Error(`${method.name}: the event ${field.name} must be a message`);
    return [field.localName, { name: field.name === unnamed ? "" : field.name, message: field.message }] as const;
  });
  return { id: idField.localName, data: oneof.localName, members: new Map(members) };
}

/** Resolves the streaming rpc that takes the same HTTP requests as `binding` does. */
export function resolveStream(
  binding: HttpBinding,
  method: DescMethod,
  responseBody: string,
  operations: Operations,
): StreamTarget {
  const call = findOperation(method, operations) as StreamTarget["call"];
  return { kind: "stream", events: undefined, call, ...resolveFields({ ...binding, method, responseBody }) };
}

function resolveFields({ method, path, body, responseBody }: HttpBinding): RouteTarget {
  const { input, output } = method;
  const where = `${method.name} at ${path.source}`;
  return {
    method,
    blank: blankOf(input),
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
