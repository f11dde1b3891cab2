import type { Duration } from "@bufbuild/protobuf/wkt";
import { type DurationRules, DurationRulesSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { type Check, hasOnly, UNKNOWN } from "./check.ts";

/** The check of a duration. Only those that are not negative are known. */
export function checkOfDuration(rules: DurationRules): Check {
  const { greaterThan, lessThan } = rules;
  const bounds = [greaterThan.value, lessThan.value].filter((bound) => bound !== undefined);
  if (!hasOnly(DurationRulesSchema, rules, ["gt", "gte", "lt", "lte"]) || !bounds.every(isPlain)) return UNKNOWN;
  if (bounds.length === 2 && compare(lessThan.value as Duration, greaterThan.value as Duration) < 0) return UNKNOWN;
  return (value) => {
    const duration = value as Duration;
    if (!isPlain(duration)) return false;
    const above = greaterThan.case === undefined ? 1 : compare(duration, greaterThan.value);
    const below = lessThan.case === undefined ? -1 : compare(duration, lessThan.value);
    return (
      (above > 0 || (above === 0 && greaterThan.case === "gte")) &&
      (below < 0 || (below === 0 && lessThan.case === "lte"))
    );
  };
}

const isPlain = ({ seconds, nanos }: Duration): boolean => seconds >= 0n && nanos >= 0 && nanos < 1_000_000_000;

/** Below 0: the first one is shorter. */
const compare = (a: Duration, b: Duration): number =>
  a.seconds === b.seconds ? a.nanos - b.nanos : a.seconds < b.seconds ? -1 : 1;
