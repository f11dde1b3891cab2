import type { LengthBounds } from "./sample-pattern.ts";
import { MAX_COUNT, type Requirement, type Sampler } from "./sample-types.ts";
import { plausibleText } from "./sample-words.ts";
import { checkString } from "./schema-check-scalar.ts";
import { below, has, type KeywordNode, readCount, readText } from "./schema-node.ts";
import { SchemaRefusal } from "./schema-refusal.ts";
import { stringFormats } from "./string-format.ts";

/** A text made for one pattern may miss the others, or what `not` forbids: then another is made. */
const PATTERN_TRIES = 40;

/** A text that satisfies a requirement. */
export function sampleString(requirement: Requirement, sampler: Sampler): string {
  const { nodes, parts } = requirement;
  const bounds = readBounds(parts);
  for (const candidate of candidates(requirement, bounds, sampler)) {
    if (parts.every((part) => checkString(candidate, part, sampler.work)) && sampler.fits(candidate, nodes)) {
      return candidate;
    }
  }
  throw refuse(parts, bounds);
}

/** Texts worth trying, the best first: from the conversation, by format, by name, by pattern, by length. */
function* candidates(requirement: Requirement, bounds: LengthBounds, sampler: Sampler): Generator<string> {
  const { parts, place } = requirement;
  const { random, hints, work } = sampler;
  if (place.variation === 0) {
    yield* hints.texts(place.name);
  }
  for (const part of parts) {
    yield* stringFormats.get(readText(part, "format") ?? "")?.samples(random, bounds.min) ?? [];
  }
  const plausible = plausibleText(place.name, place.variation, random);
  yield plausible;
  for (const part of parts) {
    const source = readText(part, "pattern");
    if (source !== undefined) {
      const pattern = work.pattern(source, below(part.pointer, "pattern"));
      for (let tries = 0; tries < PATTERN_TRIES; tries++) {
        yield pattern.sample(random, bounds) ?? plausible;
      }
    }
  }
  yield adjust(plausible, bounds);
  yield adjust(randomLetters(bounds, sampler), bounds);
}

function readBounds(parts: readonly KeywordNode[]): LengthBounds {
  const min = Math.max(0, ...parts.map((part) => readCount(part, "minLength") ?? 0));
  const max = Math.min(...parts.map((part) => readCount(part, "maxLength") ?? Number.POSITIVE_INFINITY));
  const part = parts.find((candidate) => has(candidate, "minLength"));
  if (min > MAX_COUNT) {
    throw new SchemaRefusal(below(part!.pointer, "minLength"), `${min} must be <= ${MAX_COUNT}`);
  }
  if (min > max) {
    throw new SchemaRefusal(below(part!.pointer, "minLength"), `${min} must be <= maxLength ${max}`);
  }
  return { min, max };
}

/** Repeats or cuts a text to a length. */
function adjust(text: string, { min, max }: LengthBounds): string {
  const characters = [...text];
  const repeats = Math.ceil((min + 1) / (characters.length + 1));
  const repeated =
    repeats > 1 ? [...Array(repeats).fill(text).join(" ")].slice(0, Math.max(min, characters.length)) : characters;
  const cut = repeated.slice(0, max).join("").trim();
  return cut.padEnd(min, ".");
}

function randomLetters({ min, max }: LengthBounds, { random }: Sampler): string {
  const length = Math.min(max, Math.max(min, 8));
  return Array.from({ length }, () => String.fromCharCode(97 + random.int(26))).join("");
}

/** Blames the keyword that is hardest to satisfy. */
function refuse(parts: readonly KeywordNode[], { min, max }: LengthBounds): SchemaRefusal {
  for (const keyword of ["pattern", "format", "minLength", "maxLength"]) {
    const part = parts.find((candidate) => has(candidate, keyword));
    if (part !== undefined) {
      return new SchemaRefusal(
        below(part.pointer, keyword),
        `no string of ${min} to ${max} characters was found for it`,
      );
    }
  }
  return new SchemaRefusal(parts[0]!.pointer, "no string was found that satisfies the schema");
}
