import type { DescMessage, JsonObject, Message, MessageShape } from "@bufbuild/protobuf";
import { planOf } from "./compile-plan.ts";
import { type EncodeOptions, encodeByPlan, encodeJson } from "./encode.ts";
import type { FieldPlan, MessagePlan } from "./plan.ts";
import { createTextFramer, isSame, type TextFrame, type TextPlace, takeOut, type Values } from "./text-frame.ts";

/** The text around the pair of key and value that varies, and the values that it was made of. */
interface Frame {
  readonly head: string;
  readonly tail: string;
  readonly values: Values;
}

/** After so many messages in a row that did not fit, no further frame for a text is looked for: more than the text varies. */
const MAX_MISSES = 3;

/** Writes the messages of one stream, one after the other. */
export type StreamStringifier<Desc extends DescMessage> = (message: MessageShape<Desc>) => string;

/**
 * Prepares writers of messages that follow each other and differ in one field, as the chunks of a stream do in `choices`, and mostly in one
 * text within it; each stream has a writer of its own. It writes what `stringifyJson` writes, but the text of the other fields is made anew
 * only when one of them has changed. Throws an Error where another field's form depends on the one that varies.
 */
export function compileStreamStringifier<Desc extends DescMessage>(
  desc: Desc,
  place: TextPlace,
  options: EncodeOptions = {},
): () => StreamStringifier<Desc> {
  const [varying] = place;
  const framer = createTextFramer(desc, place, options.without);
  const plan = planOf(desc);
  const field = varyingField(plan, varying);
  const alone: MessagePlan = { ...plan, constants: [], parts: [field], catchAll: undefined };
  const withoutAt = plan.parts.find(({ name }) => name === options.without)?.at ?? -1;

  const steadyOf = (message: Message): Values => {
    const values = plan.valuesOf(message);
    takeOut(values, field.at);
    if (withoutAt >= 0) takeOut(values, withoutAt);
    return values;
  };

  return () => {
    let frame: Frame | undefined;
    let textFrame: TextFrame | undefined;
    let misses = 0;
    let isFirst = true;
    return (message) => {
      const text = textFrame && framer.fill(textFrame, message);
      if (text !== undefined) {
        misses = 0;
        return text;
      }
      misses += 1;
      if (frame !== undefined && misses > MAX_MISSES && isSame(steadyOf(message), frame.values)) {
        const pair = JSON.stringify(encodeByPlan(alone, message, options)).slice(1, -1);
        if (pair !== "") return frame.head + pair + frame.tail;
      }
      const json = encodeJson(desc, message, options);
      // A frame takes longer than a message. Most streams do without this one, and none goes on as it began: its first message has a role.
      frame = misses < MAX_MISSES ? undefined : frameOf(json, field.key, steadyOf(message));
      textFrame = isFirst ? undefined : framer.frameOf(message, json);
      isFirst = false;
      return (textFrame && framer.fill(textFrame, message)) ?? JSON.stringify(json);
    };
  };
}

function varyingField({ desc, parts }: MessagePlan, name: string): FieldPlan {
  const field = parts.find((part) => part.name === name);
  const isAlone = !parts.some((part) => part.kind !== "union" && part.nullBeside === name);
  if (field === undefined || field.kind === "union" || !isAlone) throw new Error(`${desc}: ${name} cannot vary alone`);
  return field;
}

function frameOf(json: JsonObject, key: string, values: Values): Frame | undefined {
  // What is in an object may change while the object stays the same.
  if (values.some((value) => typeof value === "object")) return undefined;
  const pairs = Object.entries(json);
  const at = pairs.findIndex(([name]) => name === key);
  if (at < 0) return undefined;
  const textOf = (some: [string, unknown][]): string => JSON.stringify(Object.fromEntries(some)).slice(1, -1);
  const before = textOf(pairs.slice(0, at));
  const after = textOf(pairs.slice(at + 1));
  return { head: before === "" ? "{" : `{${before},`, tail: after === "" ? "}" : `,${after}}`, values };
}
