import { create } from "@bufbuild/protobuf";
import { validate } from "../admission/validate.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import {
  type ListKeysRequest,
  ListKeysRequestSchema,
  type ListKeysResponse,
  ListKeysResponseSchema,
} from "../gen/parley/keys/v1/keys_service_pb.ts";
import { decodePageToken, encodePageToken } from "../lib/page-token.ts";
import { createKeyRows, type KeyRow } from "../store/keys.ts";
import { type KeyManagerOptions, keyOfConfig, keyOfRow } from "./manage-keys.ts";

const DEFAULT_SIZE = 100;

/** Where a page begins: so many keys of the configuration were listed, and then those of the store up to this one. */
interface Place {
  readonly configured: number;
  readonly after: readonly [createdAt: number, id: string] | undefined;
}

/** Lists a page of all keys: first those of the configuration, as they stand there, and then those of the store, the newest first. */
export async function listKeys(
  request: ListKeysRequest,
  { store, auth }: Pick<KeyManagerOptions, "store" | "auth">,
): Promise<ListKeysResponse> {
  await validate(ListKeysRequestSchema, request);
  const { pageSize = DEFAULT_SIZE, pageToken } = request;
  const place = readPlace(pageToken);
  const configured = auth.keys.slice(place.configured, place.configured + pageSize);
  const left = pageSize - configured.length;
  const end = place.configured + configured.length;
  // One more tells whether there is another page.
  const rows = store.exists ? await createKeyRows(await store.open()).list(left + 1, place.after) : [];
  const listed = rows.slice(0, left);
  const hasMore = end < auth.keys.length || rows.length > left;
  return create(ListKeysResponseSchema, {
    keys: [...configured.map(keyOfConfig), ...listed.map(keyOfRow)],
    nextPageToken: hasMore ? writePlace({ configured: end, after: placeOf(listed.at(-1)) ?? place.after }) : "",
  });
}

const placeOf = (row: KeyRow | undefined): Place["after"] => (row === undefined ? undefined : [row.created_at, row.id]);

const writePlace = ({ configured, after: [createdAt, id] = [0, ""] }: Place): string =>
  encodePageToken([configured, createdAt, id]);

function readPlace(token: string): Place {
  if (token === "") return { configured: 0, after: undefined };
  const [configured, createdAt, id] = decodePageToken(token, "number", "number", "string") ?? [-1, 0, ""];
  if (!(Number.isSafeInteger(configured) && configured >= 0 && Number.isSafeInteger(createdAt))) {
    throw new GatewayError(Reason.INVALID_VALUE, "page_token is not one that this list has given", {
      param: "page_token",
    });
  }
  return { configured, after: id === "" ? undefined : [createdAt, id] };
}
