import type { DescField, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import { getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import type { Operations } from "../gateway/operation.ts";
import { type StreamOf, stream_of } from "../gen/parley/options/v1/options_pb.ts";
import { type Dialect, dialectOf } from "./dialect.ts";
import { type FieldPath, findFieldPath } from "./field-path.ts";
import { type HttpBinding, readHttpBindings } from "./http-binding.ts";
import { createPathMatcher, type PathMatcher } from "./path-matcher.ts";
import { resolveStream, resolveUnary, type StreamTarget, type UnaryTarget } from "./route-target.ts";

/** What one HTTP method of one path template does. */
export interface Route {
  readonly dialect: Dialect;
  readonly unary: UnaryTarget;
  /** The rpc that answers in place of `unary` when the body chooses it. */
  readonly streaming: StreamingRoute | undefined;
}

/** The streaming side of a route. */
export interface StreamingRoute {
  readonly target: StreamTarget;
  /** The message that is the HTTP body. */
  readonly bodyType: DescMessage;
  /** From there to the bool that chooses. */
  readonly choice: FieldPath;
}

/**
 * Builds the routes of services off their descriptors. Throws an Error, so that the gateway does not start, on rules
 * that cannot be: names of fields that do not exist, paths that are bound twice, rpcs without an operation.
 */
export function createRoutes(services: readonly DescService[], operations: Operations): PathMatcher<Route> {
  const streams = findStreams(services);
  const matcher = createPathMatcher<Route>();
  for (const binding of readHttpBindings(services)) {
    const { method, httpMethod, path } = binding;
    if (method.methodKind !== "unary") {
      throw new Error(`${describe(method)}: an HTTP rule is for unary rpcs; a stream shares that of one by stream_of`);
    }
    const stream = streams.get(describe(method));
    matcher.add(httpMethod, path, {
      dialect: dialectOf(path.source),
      unary: resolveUnary(binding, operations),
      streaming: stream && resolveStreaming(binding, stream, operations),
    });
  }
  return matcher;
}

interface Stream {
  readonly method: DescMethod;
  readonly option: StreamOf;
}

/** The streaming rpcs, by the unary ones whose routes they share. */
function findStreams(services: readonly DescService[]): Map<string, Stream> {
  const streams = new Map<string, Stream>();
  for (const method of services.flatMap((service) => service.methods)) {
    if (!hasOption(method, stream_of)) continue;
    const option = getOption(method, stream_of);
    const unary = method.parent.methods.find(({ name }) => name === option.method);
    if (unary === undefined || method.methodKind !== "server_streaming" || streams.has(describe(unary))) {
      throw new Error(
        `${describe(method)}: stream_of must pair one server-streaming rpc with one unary rpc of its service`,
      );
    }
    streams.set(describe(unary), { method, option });
  }
  return streams;
}

function resolveStreaming(binding: HttpBinding, { method, option }: Stream, operations: Operations): StreamingRoute {
  const target = resolveStream(binding, method, option.responseBody, operations);
  const bodyType = sharedBody(binding, target);
  const choice = findFieldPath(bodyType, option.switch);
  if (choice === undefined || !isOptionalBool(choice.at(-1)!)) {
    throw new Error(`${describe(method)}: ${bodyType.typeName} has no optional bool "${option.switch}"`);
  }
  return { target, bodyType, choice };
}

/** Both rpcs take the body before it is known which of them is called, so it must be the same message. */
function sharedBody(binding: HttpBinding, { body }: StreamTarget): DescMessage {
  const unary = binding.method.input.fields.find(({ name }) => name === binding.body);
  if (body === undefined || body === "*" || unary?.message?.typeName !== body.message.typeName) {
    throw new Error(
      `${describe(binding.method)}: with a stream beside it, the body must be a field of the same type in both`,
    );
  }
  return body.message;
}

function isOptionalBool(field: DescField): boolean {
  return field.fieldKind === "scalar" && field.scalar === ScalarType.BOOL && field.proto.proto3Optional;
}

function describe(method: DescMethod): string {
  return `${method.parent.typeName}.${method.name}`;
}
