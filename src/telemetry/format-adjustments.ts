import { type Adjustment, Adjustment_Action } from "../gen/parley/chat/v1/report_pb.ts";

/** Most adjustments that a line of the log names; a call with many messages can have thousands. */
const MAX_NAMED = 20;
/** Longest path that is logged whole: callers choose the names of parameters that nobody knows. */
const MAX_PATH = 100;
/** Stands in the place of what is left out. */
const MORE = "…";

/** Names adjustments for the log, without values: "top_k=dropped". Of more than 20, the first 20, and "…" for the rest. */
export function formatAdjustments(adjustments: readonly Adjustment[]): string[] {
  const named = adjustments.slice(0, MAX_NAMED).map(({ path, action }) => `${shorten(path)}=${wordOf(action)}`);
  return adjustments.length > MAX_NAMED ? [...named, MORE] : named;
}

const shorten = (path: string): string => (path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}${MORE}` : path);

const wordOf = (action: Adjustment_Action): string => Adjustment_Action[action]?.toLowerCase() ?? String(action);
