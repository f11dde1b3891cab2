import { create, fromJson, type JsonValue, toJsonString } from "@bufbuild/protobuf";
import type { ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import {
  RunRestartSchema,
  type WatchRunResponse,
  WatchRunResponseSchema,
} from "../gen/parley/runs/v1/runs_service_pb.ts";

/** What an event says. */
type Event = WatchRunResponse["event"];

/** An event with its number. */
export const runEvent = (sequence: number, event: Event): WatchRunResponse =>
  create(WatchRunResponseSchema, { sequence: BigInt(sequence), event });

/** A piece of the answer as it is stored, without a number. */
export const encodeChunk = (value: ChatCompletionChunk): string => encode({ case: "chunk", value });

/** A new beginning as it is stored. */
export const encodeRestart = (attempt: number): string =>
  encode({ case: "restart", value: create(RunRestartSchema, { attempt }) });

const encode = (event: Event): string => toJsonString(WatchRunResponseSchema, runEvent(0, event));

/** Joins events as they are stored to what stands in one row. */
export const joinEvents = (events: readonly string[]): string => `[${events.join(",")}]`;

/** The events of a row behind that number; `first`: number of the first one. */
export function decodeEvents(text: string, first: number, after: number): WatchRunResponse[] {
  const begin = Math.max(first, after + 1);
  return (JSON.parse(text) as JsonValue[])
    .slice(begin - first)
    .map((json, at) => runEvent(begin + at, fromJson(WatchRunResponseSchema, json).event));
}
