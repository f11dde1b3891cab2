import fc from "fast-check";

/** What is done to the events of a stream. */
type Mutation =
  | { readonly kind: "drop"; readonly at: number }
  | { readonly kind: "repeat"; readonly at: number }
  | { readonly kind: "swap"; readonly at: number; readonly with: number }
  | { readonly kind: "insert"; readonly at: number; readonly data: string }
  | { readonly kind: "edit"; readonly at: number; readonly path: readonly number[]; readonly value: unknown };

const place = fc.nat({ max: 200 });
const misfits = fc.oneof(
  fc.constantFrom<unknown>(null, "", 0, -1, 1e21, true, [], {}, "x", [null], [[]], { error: {} }, { type: "error" }),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Changes to the order of events. */
export const reorderings = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("drop" as const), at: place }),
    fc.record({ kind: fc.constant("repeat" as const), at: place }),
    fc.record({ kind: fc.constant("swap" as const), at: place, with: place }),
  ),
  { maxLength: 6 },
);

/** Changes to the order of events and to what stands in them. */
export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), at: place }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("repeat" as const), at: place }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("swap" as const), at: place, with: place }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("insert" as const),
        at: place,
        data: fc.oneof(fc.json({ maxDepth: 3 }), fc.string({ minLength: 1 }), fc.constant("[DONE]")),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("edit" as const),
        at: place,
        path: fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 7 }),
        value: misfits,
      }),
    },
  ),
  { minLength: 1, maxLength: 5 },
);

/** The data of events after the changes. Places count on from the start where there are not so many events. */
export function mutate(data: readonly string[], changes: readonly Mutation[]): string[] {
  const events = [...data];
  for (const change of changes) {
    if (events.length === 0) return events;
    const at = change.at % events.length;
    const here = events[at] as string;
    if (change.kind === "drop") events.splice(at, 1);
    if (change.kind === "repeat") events.splice(at, 0, here);
    if (change.kind === "insert") events.splice(at, 0, change.data);
    if (change.kind === "edit") events[at] = edit(here, change.path, change.value);
    if (change.kind === "swap") {
      const other = change.with % events.length;
      events[at] = events[other] as string;
      events[other] = here;
    }
  }
  return events.filter((event) => event.trim() !== "");
}

/** Puts a value in the place of one that stands in JSON: each step of the path takes one of the keys there. */
function edit(json: string, path: readonly number[], value: unknown): string {
  let root: unknown;
  try {
    root = JSON.parse(json);
  } catch {
    return json; // "[DONE]"
  }
  let parent: Record<string, unknown> | undefined;
  let key = "";
  let here = root;
  for (const step of path) {
    const keys = typeof here === "object" && here !== null ? Object.keys(here) : [];
    if (keys.length === 0) break;
    parent = here as Record<string, unknown>;
    key = keys[step % keys.length] as string;
    here = parent[key];
  }
  if (parent !== undefined) parent[key] = value;
  return JSON.stringify(parent === undefined ? value : root);
}
