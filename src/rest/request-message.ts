import type { IncomingHttpHeaders } from "node:http";
import type { DescMessage, JsonValue, Message } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import type { CallOptions } from "../gen/parley/chat/v1/chat_service_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { decodeJson } from "../openai-json/decode.ts";
import { valuesOfHeader } from "./bound-field.ts";
import { messageAt, setAtPath, setMessageAt } from "./field-path.ts";
import { fillFromQuery } from "./query.ts";
import type { RouteTarget } from "./route-target.ts";
import { readText } from "./text-format.ts";

/** The more there are, the sooner the header that lists them is full; a thousand always fill it. */
const MAX_IGNORED_KEYS = 1_000;
/** How many of them an error's message names. */
const MAX_SHOWN_KEYS = 5;

/** What an HTTP body said. */
export interface DecodedBody {
  readonly message: Message;
  /** Paths of the keys that no message knows and none keeps, at most 1,000 of them. */
  readonly ignored: readonly string[];
}

/** The parts of an HTTP request that are text. */
export interface RequestText {
  /** Values of the path variables, in the template's order. */
  readonly variables: readonly string[];
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
}

/** The message that the body of a target fills. */
export const bodyOf = ({ method, body }: RouteTarget): DescMessage =>
  body === "*" || body === undefined ? method.input : body.message;

/**
 * Decodes the JSON of a body into what the body of the target fills; throws a GatewayError with the path of what is
 * wrong.
 */
export function decodeBody(target: RouteTarget, json: JsonValue): DecodedBody {
  const ignored: string[] = [];
  const message = decodeJson(bodyOf(target), json, {
    unknownKeys: "report",
    onUnknownKey: (path) => {
      if (ignored.length < MAX_IGNORED_KEYS) ignored.push(path);
    },
  });
  return { message, ignored };
}

/**
 * Puts the request of an rpc together: the body first, then query parameters, path variables and headers. Throws a
 * GatewayError that names the part that is wrong, also for keys of the body that were ignored when the call is strict.
 */
export function buildRequest(target: RouteTarget, decoded: DecodedBody | undefined, text: RequestText): Message {
  const { method, body } = target;
  const request = body === "*" && decoded !== undefined ? decoded.message : target.blank();
  if (body !== "*" && body !== undefined && decoded !== undefined) setMessageAt(request, body, decoded.message);
  if (text.query !== "") fillFromQuery(target, request, text.query);
  target.variables.forEach(({ name, path, format }, index) => {
    setAtPath(method.input, request, path, readText(format, text.variables[index]!, `"${name}" in the path`, name));
  });
  for (const bound of target.headers) {
    const { name, path, format } = bound;
    const value = text.headers[name];
    if (typeof value !== "string") continue;
    for (const item of valuesOfHeader(bound, value)) {
      setAtPath(method.input, request, path, readText(format, item, `header ${name}`, name));
    }
  }
  if (decoded !== undefined && isStrict(target, request)) refuseIgnored(decoded.ignored);
  return request;
}

function isStrict({ options }: RouteTarget, request: Message): boolean {
  const said = options && (messageAt(request, options) as CallOptions | undefined);
  return said?.strict === true;
}

function refuseIgnored(paths: readonly string[]): void {
  const [first] = paths;
  if (first === undefined) return;
  const shown = paths.length > MAX_SHOWN_KEYS ? [...paths.slice(0, MAX_SHOWN_KEYS), "…"] : paths;
  const what = paths.length === 1 ? "argument" : "arguments";
  throw new GatewayError(Reason.UNSUPPORTED_PARAMETER, `Unrecognized request ${what} supplied: ${shown.join(", ")}`, {
    param: first,
    violations: paths.map((path) => ({ path, description: "there is no such parameter", rule: "json.unknown_key" })),
  });
}
