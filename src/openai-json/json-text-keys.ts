import type { DescMessage } from "@bufbuild/protobuf";
import { planOf } from "./compile-plan.ts";
import type { FieldPlan, MemberPlan, MessagePlan } from "./plan.ts";

const known = new WeakMap<DescMessage, ReadonlySet<string>>();

/** Keys of the values, anywhere in the JSON of a message, that its messages hold as JSON text. */
export function jsonTextKeys(desc: DescMessage): ReadonlySet<string> {
  let keys = known.get(desc);
  if (keys === undefined) {
    keys = collect(planOf(desc), new Set(), new Set());
    known.set(desc, keys);
  }
  return keys;
}

function collect({ desc, parts }: MessagePlan, keys: Set<string>, seen: Set<DescMessage>): Set<string> {
  if (seen.has(desc)) return keys;
  seen.add(desc);
  const fields = parts.flatMap((part): (FieldPlan | MemberPlan)[] =>
    part.kind === "union" ? [...part.byCase.values()] : [part],
  );
  for (const { key, value } of fields) {
    if (value.kind === "json_text") keys.add(key);
    if (value.kind === "message") collect(value.plan, keys, seen);
  }
  return keys;
}
