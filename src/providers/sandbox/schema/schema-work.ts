import type { JsonValue } from "@bufbuild/protobuf";
import { PatternError } from "./pattern-parse.ts";
import { createPattern, type Pattern } from "./sample-pattern.ts";
import type { SchemaNode } from "./schema-node.ts";
import { SchemaRefusal } from "./schema-refusal.ts";

/** What one call of `sampleSchema` shares: the whole schema, a bound on the work, and the patterns parsed so far. */
export interface SchemaWork {
  readonly root: SchemaNode;
  /** Counts steps of work, and ends the call with a final refusal at `pointer` when there have been too many. */
  spend(steps: number, pointer: string): void;
  /** A pattern, parsed at its first use. Refuses at `pointer` what is not understood. */
  pattern(source: string, pointer: string): Pattern;
}

/** Starts the work on a schema, of so many steps at the most. */
export function createSchemaWork(schema: JsonValue, maxSteps: number): SchemaWork {
  const patterns = new Map<string, Pattern>();
  let steps = 0;

  function spend(count: number, pointer: string): void {
    steps += count;
    if (steps > maxSteps) {
      throw new SchemaRefusal(pointer, `the schema takes more than ${maxSteps} steps of work`, true);
    }
  }
  function pattern(source: string, pointer: string): Pattern {
    const known = patterns.get(source);
    if (known !== undefined) {
      return known;
    }
    spend(source.length, pointer);
    const created = refusing(pointer, () => createPattern(source, (count) => spend(count, pointer)));
    const guarded: Pattern = {
      matches: created.matches,
      sample: (random, bounds) => refusing(pointer, () => created.sample(random, bounds)),
    };
    patterns.set(source, guarded);
    return guarded;
  }
  return { root: { schema, pointer: "#" }, spend, pattern };
}

function refusing<T>(pointer: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof PatternError ? new SchemaRefusal(pointer, error.message) : error;
  }
}
