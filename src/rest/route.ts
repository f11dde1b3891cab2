import type { DescField, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import { getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import type { Operations } from "../gateway/operation.ts";
import { events, type InsteadOf, instead_of, type StreamOf, stream_of } from "../gen/parley/options/v1/options_pb.ts";
import { type Dialect, dialectOf } from "./dialect.ts";
import { type FieldPath, findFieldPath } from "./field-path.ts";
import { type HttpBinding, readHttpBindings } from "./http-binding.ts";
import { createPathMatcher, type PathMatcher } from "./path-matcher.ts";
import { resolveEvents, resolveStream, resolveUnary, type StreamTarget, type UnaryTarget } from "./route-target.ts";

/** What one HTTP method of one path template does. */
export interface Route {
  readonly dialect: Dialect;
  /** The rpc that has the route. */
  readonly plain: UnaryTarget | StreamTarget;
  /** The stream that answers in its place when the body, or else the dialect, chooses it. */
  readonly streaming: ChosenRoute<StreamTarget> | undefined;
  /** The unary rpc that answers in place of both when the body chooses it. */
  readonly instead: ChosenRoute<UnaryTarget> | undefined;
  /** All rpcs that may answer. */
  readonly methods: readonly DescMethod[];
}

/** An rpc that answers on a route of another one when the body says so. */
export interface ChosenRoute<T extends UnaryTarget | StreamTarget> {
  readonly target: T;
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
  const others = findOthers(services);
  const matcher = createPathMatcher<Route>();
  for (const binding of readHttpBindings(services)) {
    const { method, httpMethod, path } = binding;
    const plain = resolvePlain(binding, operations);
    const stream = streams.get(describe(method));
    const other = others.get(describe(method));
    const streaming = stream && resolveStreaming(binding, stream, operations);
    const instead = other && resolveInstead(binding, other, operations);
    const targets = [plain, streaming?.target, instead?.target];
    matcher.add(httpMethod, path, {
      dialect: dialectOf(path.source),
      plain,
      streaming,
      instead,
      methods: targets.flatMap((target) => (target === undefined ? [] : [target.method])),
    });
  }
  return matcher;
}

function resolvePlain(binding: HttpBinding, operations: Operations): UnaryTarget | StreamTarget {
  const { method } = binding;
  if (method.methodKind === "unary") return resolveUnary(binding, operations);
  if (method.methodKind === "server_streaming" && hasOption(method, events)) return resolveEvents(binding, operations);
  throw new Error(
    `${describe(method)}: an HTTP rule is for unary rpcs, and for streams with the option events; another stream shares that of one by stream_of`,
  );
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

interface Other {
  readonly method: DescMethod;
  readonly option: InsteadOf;
}

/** The unary rpcs that answer on routes of others, by those others. */
function findOthers(services: readonly DescService[]): Map<string, Other> {
  const others = new Map<string, Other>();
  for (const method of services.flatMap((service) => service.methods)) {
    if (!hasOption(method, instead_of)) continue;
    const option = getOption(method, instead_of);
    if (method.methodKind !== "unary" || others.has(option.method)) {
      throw new Error(`${describe(method)}: instead_of must pair one unary rpc with one other`);
    }
    others.set(option.method, { method, option });
  }
  return others;
}

function resolveStreaming(
  binding: HttpBinding,
  { method, option }: Stream,
  operations: Operations,
): ChosenRoute<StreamTarget> {
  return chosenBy(binding, resolveStream(binding, method, option.responseBody, operations), option.switch);
}

function resolveInstead(
  binding: HttpBinding,
  { method, option }: Other,
  operations: Operations,
): ChosenRoute<UnaryTarget> {
  const { responseBody } = option;
  return chosenBy(binding, resolveUnary({ ...binding, method, responseBody }, operations), option.switch);
}

function chosenBy<T extends UnaryTarget | StreamTarget>(binding: HttpBinding, target: T, by: string): ChosenRoute<T> {
  const bodyType = sharedBody(binding, target);
  const choice = findFieldPath(bodyType, by);
  if (choice === undefined || !isOptionalBool(choice.at(-1)!)) {
    throw new Error(`${describe(target.method)}: ${bodyType.typeName} has no optional bool "${by}"`);
  }
  return { target, bodyType, choice };
}

/** Both rpcs take the body before it is known which of them is called, so it must be the same message. */
function sharedBody(binding: HttpBinding, { body }: UnaryTarget | StreamTarget): DescMessage {
  const unary = binding.method.input.fields.find(({ name }) => name === binding.body);
  if (body === undefined || body === "*" || unary?.message?.typeName !== body.message.typeName) {
    throw new Error(
      `${describe(binding.method)}: with another rpc beside it, the body must be a field of the same type in both`,
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
