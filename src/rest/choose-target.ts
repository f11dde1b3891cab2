import { isMessage } from "@bufbuild/protobuf";
import { ChatCompletionParamsSchema } from "../gen/parley/chat/v1/params_pb.ts";
import { checkDialect, wantsStream } from "./dialect.ts";
import { getAtPath, setAtPath } from "./field-path.ts";
import type { DecodedBody } from "./request-message.ts";
import type { Route } from "./route.ts";
import type { StreamTarget, UnaryTarget } from "./route-target.ts";

/**
 * Chooses among the rpcs that may share a route, and sets the parameter that says whether there is a stream to what was chosen. Throws a
 * GatewayError when the body says what the dialect of the route has no sense for.
 */
export function chooseTarget(
  { dialect, plain, streaming, instead }: Route,
  body: DecodedBody | undefined,
  accept: string | undefined,
): StreamTarget | UnaryTarget {
  if (body === undefined) return plain;
  if (isMessage(body.message, ChatCompletionParamsSchema)) checkDialect(dialect, body.message);
  if (instead !== undefined && getAtPath(body.message, instead.choice) === true) return instead.target;
  if (streaming === undefined) return plain;
  const { target, bodyType, choice } = streaming;
  const said = getAtPath(body.message, choice) as boolean | undefined;
  const stream = wantsStream(dialect, said, accept);
  if (said !== stream) setAtPath(bodyType, body.message, choice, stream);
  return stream ? target : plain;
}
