import type { Random } from "../random.ts";

/** A `format` of JSON Schema (2020-12, validation, section 7.3): what satisfies it, and some texts that do. */
export interface StringFormat {
  /** Whether a text has the format. Where the RFCs leave room, this is the narrower reading. */
  matches(text: string): boolean;
  /** Texts of the format, the most natural first; among them one of at least `minLength` characters where possible. */
  samples(random: Random, minLength: number): string[];
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const DURATION = /^P(?:\d+W|(?=\d|T)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)$/;
const LOCAL_PART = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const HOST_LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const IPV4_PART = /^(?:0|[1-9]\d{0,2})$/;
const IPV6_PART = /^[\da-fA-F]{1,4}$/;
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const URI =
  /^[A-Za-z][A-Za-z0-9+.-]*:(?:[\w.~:/?@!$&'()*+,;=-]|%[\da-fA-F]{2})+(?:#(?:[\w.~:/?@!$&'()*+,;=-]|%[\da-fA-F]{2})*)?$/;
const MAX_HOST_LENGTH = 253;

const email: StringFormat = {
  matches: isEmail,
  samples: (random, minLength) => [
    `${random.pick(["ada", "grace", "alan", "linus"])}@example.com`,
    "a@b.co",
    `${"a".repeat(clamp(minLength - 12, 1, 64))}@example.com`,
    `${"a".repeat(64)}@${longHost(minLength - 65)}`,
  ],
};

const hostname: StringFormat = {
  matches: isHostname,
  samples: (random, minLength) => [
    `${random.pick(["www", "api", "docs"])}.example.com`,
    "a.co",
    "a",
    longHost(minLength),
  ],
};

const uri: StringFormat = {
  matches: isUri,
  samples: (random, minLength) => [
    `https://example.com/${random.pick(["docs", "items/42", "search?q=parley", "a"])}`,
    "https://a.co",
    "a:b",
    `https://example.com/${"a".repeat(Math.max(0, minLength - 20))}`,
  ],
};

/** The formats that are generated and checked; any other name is only an annotation, as the specification has it. */
export const stringFormats: ReadonlyMap<string, StringFormat> = new Map<string, StringFormat>([
  [
    "date-time",
    { matches: isDateTime, samples: (random, minLength) => sampleTimes(random, minLength, `${sampleDate(random)}T`) },
  ],
  ["date", { matches: isDate, samples: (random) => [sampleDate(random)] }],
  ["time", { matches: (text) => TIME.test(text), samples: (random, minLength) => sampleTimes(random, minLength, "") }],
  ["duration", { matches: (text) => DURATION.test(text), samples: sampleDurations }],
  ["email", email],
  ["idn-email", email],
  ["hostname", hostname],
  ["idn-hostname", hostname],
  [
    "ipv4",
    {
      matches: isIpv4,
      samples: (random) => [`192.0.2.${1 + random.int(254)}`, "10.0.0.1", "1.1.1.1", "198.51.100.200"],
    },
  ],
  ["ipv6", { matches: isIpv6, samples: sampleIpv6 }],
  ["uri", uri],
  ["uri-reference", uri],
  ["iri", uri],
  ["iri-reference", uri],
  ["uuid", { matches: (text) => UUID.test(text), samples: (random) => [sampleUuid(random)] }],
]);

function isDate(text: string): boolean {
  const match = DATE.exec(text);
  if (match === null) {
    return false;
  }
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day >= 1 && day <= (days[month - 1] ?? 0);
}

function isDateTime(text: string): boolean {
  return text[10] === "T" && isDate(text.slice(0, 10)) && TIME.test(text.slice(11));
}

function isEmail(text: string): boolean {
  const at = text.lastIndexOf("@");
  return at > 0 && at <= 64 && LOCAL_PART.test(text.slice(0, at)) && isHostname(text.slice(at + 1));
}

function isHostname(text: string): boolean {
  return text.length <= MAX_HOST_LENGTH && text.split(".").every((label) => HOST_LABEL.test(label));
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => IPV4_PART.test(part) && Number(part) <= 255);
}

function isIpv6(text: string): boolean {
  const halves = text.split("::");
  const parts = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const complete = halves.length === 1 ? parts.length === 8 : halves.length === 2 && parts.length < 8;
  return complete && parts.every((part) => IPV6_PART.test(part));
}

function isUri(text: string): boolean {
  return URI.test(text) && URL.canParse(text);
}

function sampleDate(random: Random): string {
  return `${2024 + random.int(3)}-${twoDigits(1 + random.int(12))}-${twoDigits(1 + random.int(28))}`;
}

function sampleTimes(random: Random, minLength: number, prefix: string): string[] {
  const time = `${prefix}${twoDigits(random.int(24))}:${twoDigits(random.int(60))}:00`;
  return [`${time}Z`, `${time}.${"0".repeat(Math.max(1, minLength - time.length - 2))}Z`];
}

function sampleDurations(random: Random, minLength: number): string[] {
  return [`PT${1 + random.int(59)}M`, "P1D", `P1${"0".repeat(Math.max(0, minLength - 3))}D`];
}

function sampleIpv6(random: Random): string[] {
  const host = (1 + random.int(0xfffe)).toString(16);
  const full = Array.from({ length: 6 }, () => (0x1000 + random.int(0xf000)).toString(16));
  return [`2001:db8::${host}`, "::1", `2001:0db8:${full.join(":")}`];
}

function sampleUuid(random: Random): string {
  const digits = Array.from({ length: 32 }, () => random.int(16));
  // Version 4, variant 10: RFC 9562, section 5.4.
  digits[12] = 4;
  digits[16] = 8 | (digits[16]! & 3);
  const text = digits.map((digit) => digit.toString(16)).join("");
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}

/** A host name of exactly so many characters (from 1 to 253), in labels of up to 50. */
function longHost(length: number): string {
  const wanted = clamp(length, 1, MAX_HOST_LENGTH);
  const characters = Array.from({ length: wanted }, (_, index) =>
    index % 51 === 50 && index < wanted - 1 ? "." : "a",
  );
  return characters.join("");
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
