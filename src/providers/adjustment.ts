import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { type Adjustment, Adjustment_Action, AdjustmentSchema } from "../gen/parley/chat/v1/report_pb.ts";

/** Values that are longer as JSON are not repeated in a report. */
const SHORT = 64;

const short = (value: JsonValue | undefined) =>
  value === undefined || JSON.stringify(value).length > SHORT ? {} : { before: fromJson(ValueSchema, value) };

/** Reports that a parameter is left out. Pass its value only where it is no text that somebody wrote. */
export function dropped(path: string, reason: string, value?: JsonValue): Adjustment {
  return create(AdjustmentSchema, { path, action: Adjustment_Action.DROPPED, reason, ...short(value) });
}

/**
 * Reports that keys are left out which nobody knows. `path`: of the object that they stand in; empty for the parameters themselves.
 * `known`: keys that somebody does know.
 */
export const droppedKeys = (
  path: string,
  keys: object | undefined,
  reason: string,
  known: readonly string[] = [],
): Adjustment[] =>
  Object.keys(keys ?? {})
    .filter((key) => !known.includes(key))
    .map((key) => dropped(path === "" ? key : `${path}.${key}`, reason));

/** Reports that a parameter is said in another way. */
export function mapped(path: string, reason: string, before: JsonValue, after: JsonValue): Adjustment {
  return create(AdjustmentSchema, {
    path,
    action: Adjustment_Action.MAPPED,
    reason,
    ...short(before),
    after: fromJson(ValueSchema, after),
  });
}

/** Reports that a parameter is moved to the nearest bound. */
export function clamped(path: string, reason: string, before: number, after: number): Adjustment {
  return create(AdjustmentSchema, {
    path,
    action: Adjustment_Action.CLAMPED,
    reason,
    ...short(before),
    after: fromJson(ValueSchema, after),
  });
}
