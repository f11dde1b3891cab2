import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Caller } from "../admission/caller.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import {
  type CancelRunRequest,
  type CancelRunResponse,
  CancelRunResponseSchema,
  type CreateRunRequest,
  type CreateRunResponse,
  CreateRunResponseSchema,
  type DeleteRunRequest,
  type DeleteRunResponse,
  DeleteRunResponseSchema,
  type GetRunRequest,
  type GetRunResponse,
  GetRunResponseSchema,
  type ListRunsRequest,
  type ListRunsResponse,
  type WaitRunRequest,
  type WaitRunResponse,
  WaitRunResponseSchema,
  type WatchRunRequest,
  type WatchRunResponse,
} from "../gen/parley/runs/v1/runs_service_pb.ts";
import { isRunUid } from "../lib/ids.ts";
import type { Store } from "../store/store.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { createRun } from "./create-run.ts";
import { cancelRun, deleteRun } from "./end-run.ts";
import type { EventReader } from "./event-reader.ts";
import { listRuns } from "./list-runs.ts";
import type { RunsOptions } from "./options.ts";
import { runNotFound } from "./run-not-found.ts";
import { findRun } from "./run-row.ts";
import { waitForRun } from "./wait-run.ts";
import { watchRun } from "./watch-run.ts";

/** What the rpcs do, once their requests are admitted and the store is open. */
export interface RunService {
  create(request: CreateRunRequest, caller: Caller): Promise<CreateRunResponse>;
  get(request: GetRunRequest, caller: Caller): Promise<GetRunResponse>;
  wait(request: WaitRunRequest, caller: Caller, signal: AbortSignal): Promise<WaitRunResponse>;
  watch(request: WatchRunRequest, caller: Caller, signal: AbortSignal): AsyncGenerator<readonly WatchRunResponse[]>;
  list(request: ListRunsRequest, caller: Caller): Promise<ListRunsResponse>;
  cancel(request: CancelRunRequest, caller: Caller): Promise<CancelRunResponse>;
  delete(request: DeleteRunRequest, caller: Caller): Promise<DeleteRunResponse>;
}

/** What it is made of. */
export interface RunServiceParts {
  readonly store: Store;
  readonly feed: ChangeFeed;
  readonly reader: EventReader;
  readonly options: Pick<RunsOptions, "settings" | "allowAddresses" | "lookup">;
  /** A run has ended here: its webhook may be due. */
  readonly onEnded: () => void;
}

/** How long is waited for a run unless the request says. */
const WAIT_MS = 30_000;

/** Makes the service. */
export function createRunService(parts: RunServiceParts): RunService {
  const { store, options, onEnded } = parts;
  return {
    async create(request, caller) {
      if (request.webhookUrl !== "") await checkWebhook(request.webhookUrl, options);
      return create(CreateRunResponseSchema, { run: await createRun(request, caller, store, options.settings) });
    },

    async get({ uid }, { id }) {
      const run = isRunUid(uid) ? await findRun(store.db, uid, id) : undefined;
      if (run === undefined) throw runNotFound();
      return create(GetRunResponseSchema, { run });
    },

    async wait({ uid, timeout }, { id }, signal) {
      const waitMs = timeout === undefined ? WAIT_MS : durationMs(timeout);
      return create(WaitRunResponseSchema, { run: await waitForRun(uid, id, waitMs, parts, signal) });
    },

    watch: (request, { id }, signal) => watchRun(request, id, parts, signal),

    list: (request, { id }) => listRuns(request, id, store),

    async cancel({ uid }, caller) {
      const run = await cancelRun(uid, caller, store, options.settings);
      onEnded();
      return create(CancelRunResponseSchema, { run });
    },

    async delete({ uid }, caller) {
      await deleteRun(uid, caller, store);
      return create(DeleteRunResponseSchema, { uid, deleted: true });
    },
  };
}

async function checkWebhook(url: string, options: RunServiceParts["options"]): Promise<void> {
  if (options.settings.webhook.secret === undefined) {
    throw new GatewayError(Reason.FAILED_PRECONDITION, "webhooks need runs.webhook.secret in the configuration", {
      param: "webhook_url",
    });
  }
  const { checkWebhookAddress } = await import("./webhook-address.ts");
  await checkWebhookAddress(url, options);
}
