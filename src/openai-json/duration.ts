import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";

/** About 10,000 years: the bound of google.protobuf.Duration. */
const MAX_SECONDS = 315_576_000_000;

/** Reads seconds with up to nine decimals and an "s": "1.5s", "-0.000000001s". Undefined where the text is something else. */
export function parseDuration(text: string): Duration | undefined {
  const match = /^(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s$/.exec(text);
  if (match === null) return undefined;
  const seconds = Number(match[2]);
  const nanos = Number((match[3] ?? "").padEnd(9, "0"));
  if (seconds > MAX_SECONDS || (seconds === MAX_SECONDS && nanos > 0)) return undefined;
  const sign = match[1] === "-" ? -1 : 1;
  // "+ 0" makes 0 of -0.
  return create(DurationSchema, { seconds: BigInt(sign * seconds), nanos: sign * nanos + 0 });
}

/** Writes seconds without needless decimals: "1.5s". Undefined for a duration out of its bounds, or with two signs. */
export function formatDuration({ seconds, nanos }: Duration): string | undefined {
  const isNegative = seconds < 0n || nanos < 0;
  const wholes = isNegative ? -seconds : seconds;
  const billionths = isNegative ? -nanos : nanos;
  const isProper = wholes >= 0n && wholes <= MAX_SECONDS && billionths >= 0 && billionths <= 999_999_999;
  if (!isProper) return undefined;
  const decimals = billionths === 0 ? "" : `.${String(billionths).padStart(9, "0").replace(/0+$/, "")}`;
  return `${isNegative ? "-" : ""}${wholes}${decimals}s`;
}
