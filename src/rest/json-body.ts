import type { IncomingHttpHeaders } from "node:http";
import type { JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { breathe, isLarge } from "../lib/breathe.ts";
import { parseJson, parseLargeJson } from "../openai-json/parse.ts";
import { checkContentEncoding, decompress } from "./decompress.ts";
import type { RestRequest } from "./exchange.ts";
import { type BodyBounds, readBody } from "./read-body.ts";

/**
 * Reads the JSON that a request carries, packed or not, within these bounds. `exactKeys`: see ParseOptions. Throws a GatewayError:
 * UNSUPPORTED_MEDIA_TYPE by the headers alone, and INVALID_JSON where there is none.
 */
export async function readJsonBody(
  request: RestRequest,
  bounds: BodyBounds,
  exactKeys: ReadonlySet<string>,
): Promise<JsonValue> {
  checkContentType(request.headers);
  const encoding = request.headers["content-encoding"];
  checkContentEncoding(encoding);
  const raw = await readBody(request, bounds);
  const body = encoding === undefined ? raw : await decompress(raw, encoding, bounds.maxBytes);
  if (body.length === 0) throw new GatewayError(Reason.INVALID_JSON, "the body is empty; it must be a JSON object");
  if (!isLarge(body.length)) return parseJson(body, { exactKeys });
  await breathe();
  const json = await parseLargeJson(body, { exactKeys });
  await breathe();
  return json;
}

/** A body without a type is taken for JSON. */
function checkContentType({ "content-type": contentType }: IncomingHttpHeaders): void {
  if (contentType === undefined || contentType === "application/json") return;
  const [type = "", ...parameters] = contentType.split(";").map((part) => part.trim());
  const charset = parameters.find((parameter) => /^charset=/i.test(parameter));
  if (type.toLowerCase() === "application/json" && (charset === undefined || /^charset="?utf-?8"?$/i.test(charset)))
    return;
  throw new GatewayError(
    Reason.UNSUPPORTED_MEDIA_TYPE,
    `content-type must be application/json in UTF-8, but is "${contentType.slice(0, 80)}"`,
  );
}
