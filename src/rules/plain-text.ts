import { isFieldSet } from "@bufbuild/protobuf";
import { type StringRules, StringRulesSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { type Check, hasOnly, UNKNOWN } from "./check.ts";

/**
 * Patterns that mean the same to RegExp as to RE2, and take it as little time: from end to end characters, and classes of them so many
 * times; only the last one may be there any number of times.
 */
const PLAIN_PATTERN = /^\^(?:[\w-]|\[[\w!.+/~-]+\](?:\{\d{1,2}(?:,\d{1,2})?\})?)*(?:\[[\w!.+/~-]+\][+*])?\$$/;

/** Addresses that are so whatever else one may be: of a host by its name, without escapes and queries. */
const PLAIN_URI = /^https?:\/\/[a-z0-9]+(?:[.-][a-z0-9]+)*(?::\d{1,5})?(?:\/[\w.~-]+)*\/?$/;

/** The check of a text. */
export function checkOfText(rules: StringRules): Check {
  const { minLen: min, maxLen: max, pattern: patternField } = StringRulesSchema.field;
  const { pattern, wellKnown, in: among, notIn } = rules;
  const isPattern = isFieldSet(rules, patternField);
  const isUri = wellKnown.case === "uri" && wellKnown.value;
  const isKnown =
    hasOnly(StringRulesSchema, rules, ["min_len", "max_len", "pattern", "uri", "in", "not_in"]) &&
    (wellKnown.case === undefined || isUri) &&
    (!isPattern || PLAIN_PATTERN.test(pattern));
  if (!isKnown) return UNKNOWN;
  // Rules count characters, of which each is one unit of the text or two.
  const least = isFieldSet(rules, min) ? unitsOf(Number(rules.minLen)) : 0;
  const most = isFieldSet(rules, max) ? Number(rules.maxLen) : Number.POSITIVE_INFINITY;
  const form = isPattern ? new RegExp(pattern) : undefined;
  return (value) =>
    typeof value === "string" &&
    value.length >= least &&
    value.length <= most &&
    (form === undefined || form.test(value)) &&
    (among.length === 0 || among.includes(value)) &&
    !notIn.includes(value) &&
    (!isUri || PLAIN_URI.test(value));
}

/** Units that surely hold so many characters. */
const unitsOf = (characters: number): number => (characters === 0 ? 0 : 2 * characters - 1);
