import { create } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import {
  type ListRunsRequest,
  type ListRunsResponse,
  ListRunsResponseSchema,
} from "../gen/parley/runs/v1/runs_service_pb.ts";
import { decodePageToken, encodePageToken } from "../lib/page-token.ts";
import type { Store } from "../store/store.ts";
import { runOf, selectRuns, statusOf } from "./run-row.ts";

const PAGE_SIZE = 50;

/** Lists the runs of an owner, the newest first, without their answers. */
export async function listRuns(
  { pageSize = PAGE_SIZE, pageToken, status }: ListRunsRequest,
  owner: string,
  { db }: Store,
): Promise<ListRunsResponse> {
  let query = selectRuns(db)
    .where("runs.owner", "=", owner)
    .orderBy("runs.created_at", "desc")
    .orderBy("runs.uid")
    .limit(pageSize + 1);
  const only = statusOf(status);
  if (only !== undefined) query = query.where("runs.status", "=", only);
  if (pageToken !== "") {
    const [createdAt, uid] = readToken(pageToken);
    query = query.where(({ eb, or, and }) =>
      or([
        eb("runs.created_at", "<", createdAt),
        and([eb("runs.created_at", "=", createdAt), eb("runs.uid", ">", uid)]),
      ]),
    );
  }
  const rows = await query.execute();
  const page = rows.slice(0, pageSize);
  const last = page.at(-1);
  const hasMore = rows.length > page.length && last !== undefined;
  return create(ListRunsResponseSchema, {
    runs: page.map(runOf),
    nextPageToken: hasMore ? encodePageToken([last.created_at, last.uid]) : "",
  });
}

function readToken(pageToken: string): readonly [number, string] {
  const cursor = decodePageToken(pageToken, "number", "string");
  if (cursor !== undefined && Number.isSafeInteger(cursor[0])) return [cursor[0], cursor[1]];
  throw new GatewayError(Reason.INVALID_VALUE, "page_token is not from an answer of this method", {
    param: "page_token",
  });
}
