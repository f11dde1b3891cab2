import { toJsonString } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { type ChatCompletion, ChatCompletionSchema } from "../gen/parley/chat/v1/completion_pb.ts";
import { type CallReport, CallReportSchema } from "../gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { RunErrorSchema } from "../gen/parley/runs/v1/runs_service_pb.ts";
import type { RunStatus } from "../store/schema.ts";
import { runErrorOf } from "./run-error.ts";

/** How a run ends, as it is stored. */
export interface Ending {
  readonly status: Exclude<RunStatus, "queued" | "running">;
  /** ProtoJSON. */
  readonly response?: string;
  readonly report?: string;
  readonly error?: string;
}

/** It has an answer. */
export const completed = (completion: ChatCompletion, report: CallReport | undefined): Ending => ({
  status: "completed",
  response: toJsonString(ChatCompletionSchema, completion),
  ...reportOf(report),
});

/** It failed. */
export const failed = (error: GatewayError, report: CallReport | undefined): Ending => ({
  status: "failed",
  error: toJsonString(RunErrorSchema, runErrorOf(error)),
  ...reportOf(report),
});

/** It was cancelled. */
export const cancelled = (report?: CallReport): Ending => ({ status: "cancelled", ...reportOf(report) });

/** Its workers were lost so often that it is given up. */
export const givenUp = (losses: number): Ending =>
  failed(
    new GatewayError(
      Reason.WORKER_LOST,
      `the run was given up: its worker was lost ${losses === 1 ? "once" : `${losses} times`}`,
    ),
    undefined,
  );

const reportOf = (report: CallReport | undefined): Pick<Ending, "report"> =>
  report === undefined ? {} : { report: toJsonString(CallReportSchema, report) };
