import type { DescMessage, JsonObject, JsonValue, Message, MessageShape } from "@bufbuild/protobuf";
import { planOf } from "./compile-plan.ts";
import type { MessagePlan } from "./plan.ts";

/** The values of a message; what varies, or is not written, was taken out. */
export type Values = readonly unknown[];

/** Those of the message, of its only element, and of that one's holder of the text. */
type Levels = readonly [Values, Values, Values];

/** Where the text is that varies: in the only element of a list, in a message of that, in a field; each by its property. */
export type TextPlace = readonly [list: string, holder: string, text: string];

/** The text around one text that varies, and the values of all else that it was made of. */
export interface TextFrame {
  readonly head: string;
  readonly tail: string;
  readonly levels: Levels;
}

/** Finds frames for messages of one kind, and messages that fit into them. */
export interface TextFramer<Desc extends DescMessage> {
  /** What is written of a message that says the same as the frame's but for the text; undefined where it says anything else. */
  fill(frame: TextFrame, message: MessageShape<Desc>): string | undefined;
  /** The frame of a message whose JSON is at hand; undefined where it has not that one text alone, or holds what may change while it stays the same. */
  frameOf(message: MessageShape<Desc>, json: JsonObject): TextFrame | undefined;
}

/** Stands for the text while the frame is made. */
const MARK = "the text";

/** Makes a framer. Throws an Error where there is no such place. `without`: property of the message that is not written. */
export function createTextFramer<Desc extends DescMessage>(
  desc: Desc,
  place: TextPlace,
  without: string | undefined,
): TextFramer<Desc> {
  const top = planOf(desc);
  const list = messagePlanAt(top, place[0]);
  const holder = messagePlanAt(list.plan, place[1]);
  const field = holder.plan.parts.find(({ name }) => name === place[2]);
  if (field === undefined || field.kind === "union") throw new Error(`${desc}: there is no text "${place[2]}"`);
  const withoutAt = top.parts.find(({ name }) => name === without)?.at ?? -1;

  const levelsOf = (message: Message): { readonly levels: Levels; readonly text: string } | undefined => {
    const outer = top.valuesOf(message);
    if (withoutAt >= 0) takeOut(outer, withoutAt);
    const elements = takeOut(outer, list.at) as readonly Message[];
    if (elements.length !== 1) return undefined;
    const element = list.plan.valuesOf(elements[0] as Message);
    const held = takeOut(element, holder.at) as Message | undefined;
    const inner = held && holder.plan.valuesOf(held);
    const text = inner && takeOut(inner, field.at);
    return inner === undefined || typeof text !== "string" ? undefined : { levels: [outer, element, inner], text };
  };

  return {
    fill({ head, tail, levels }, message) {
      const found = levelsOf(message);
      if (found === undefined) return undefined;
      for (let at = 0; at < levels.length; at++)
        if (!isSame(found.levels[at] as Values, levels[at] as Values)) return undefined;
      return head + JSON.stringify(found.text.toWellFormed()) + tail;
    },
    frameOf(message, json) {
      const levels = levelsOf(message)?.levels;
      if (levels === undefined || !levels.every((level) => level.every(isSteady))) return undefined;
      const [element] = json[list.key] as JsonObject[];
      const inner = element?.[holder.key] as Record<string, JsonValue>;
      const text = inner[field.key] as JsonValue;
      inner[field.key] = MARK;
      const [head, tail, ...more] = JSON.stringify(json).split(JSON.stringify(MARK));
      inner[field.key] = text;
      return head === undefined || tail === undefined || more.length > 0 ? undefined : { head, tail, levels };
    },
  };
}

function messagePlanAt(
  { desc, parts }: MessagePlan,
  name: string,
): { readonly key: string; readonly at: number; readonly plan: MessagePlan } {
  const part = parts.find((each) => each.name === name);
  if (part === undefined || part.kind === "union" || part.value.kind !== "message")
    throw new Error(`${desc}: there is no message "${name}"`);
  return { key: part.key, at: part.at, plan: part.value.plan };
}

/** Takes the value at a place out of those of a message. */
export function takeOut(values: unknown[], at: number): unknown {
  const value = values[at];
  values[at] = undefined;
  return value;
}

/** Whether a value can't change while it stays the same. The empty lists of a message are not used again. */
const isSteady = (value: unknown): boolean => typeof value !== "object" || isEmptyList(value);

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** Whether a message has the same values as another one. */
export function isSame(values: Values, before: Values): boolean {
  for (let at = 0; at < values.length; at++) {
    if (values[at] !== before[at] && !(isEmptyList(values[at]) && isEmptyList(before[at]))) return false;
  }
  return true;
}
