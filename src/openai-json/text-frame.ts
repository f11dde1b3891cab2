import type { DescMessage, JsonObject, JsonValue, Message, MessageShape } from "@bufbuild/protobuf";
import { planOf } from "./compile-plan.ts";
import type { MessagePlan } from "./plan.ts";

/** The values of a message, of an element of it, and of the message in that. */
type Levels = readonly [readonly unknown[], readonly unknown[], readonly unknown[]];

/** Where the text is that varies: in the only element of a list, in a message of that, in a field; each by its property. */
export type TextPlace = readonly [list: string, holder: string, text: string];

/** The text around one text that varies, and the values that it was made of. */
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
  [list, holder, text]: TextPlace,
  without: string | undefined,
): TextFramer<Desc> {
  const top = planOf(desc);
  const listPlan = messagePlanAt(top, list);
  const holderPlan = messagePlanAt(listPlan.plan, holder);
  const key = holderPlan.plan.parts.find(({ name }) => name === text);
  if (key === undefined || key.kind === "union") throw new Error(`${desc}: there is no text "${text}"`);
  const listAt = listPlan.at;
  const holderAt = holderPlan.at;
  const textAt = key.at;
  const withoutAt = top.parts.find(({ name }) => name === without)?.at ?? -1;

  /** The values of the message, of its only element, and of that one's holder, where the text is set. */
  const levelsOf = (message: Message): Levels | undefined => {
    const outer = top.valuesOf(message);
    const elements = outer[listAt] as readonly Message[];
    const element = elements.length === 1 ? listPlan.plan.valuesOf(elements[0] as Message) : undefined;
    const held = element?.[holderAt] as Message | undefined;
    const inner = held && holderPlan.plan.valuesOf(held);
    return element === undefined || typeof inner?.[textAt] !== "string" ? undefined : [outer, element, inner];
  };

  return {
    fill({ head, tail, levels }, message) {
      const found = levelsOf(message);
      if (found === undefined) return undefined;
      const [outer, element, inner] = found;
      const isLike =
        isSame(inner, levels[2], textAt, -1) &&
        isSame(element, levels[1], holderAt, -1) &&
        isSame(outer, levels[0], listAt, withoutAt);
      return isLike ? head + JSON.stringify((inner[textAt] as string).toWellFormed()) + tail : undefined;
    },
    frameOf(message, json) {
      const levels = levelsOf(message);
      if (levels === undefined) return undefined;
      const [outer, element, inner] = levels;
      const isAllSteady =
        outer.every((value, at) => at === listAt || at === withoutAt || isSteady(value)) &&
        element.every((value, at) => at === holderAt || isSteady(value)) &&
        inner.every(isSteady);
      if (!isAllSteady) return undefined;
      // What varies would be kept with the frame, to the end of the stream.
      const kept: Levels = [withoutPlace(outer, listAt), withoutPlace(element, holderAt), withoutPlace(inner, textAt)];
      const [first] = json[listPlan.key] as JsonObject[];
      const texts = first?.[holderPlan.key] as Record<string, JsonValue>;
      texts[key.key] = MARK;
      const [head, tail, ...more] = JSON.stringify(json).split(JSON.stringify(MARK));
      return head === undefined || tail === undefined || more.length > 0 ? undefined : { head, tail, levels: kept };
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

const withoutPlace = (values: readonly unknown[], place: number): readonly unknown[] => values.with(place, undefined);

/** Whether a value can't change while it stays the same. The empty lists of a message are not used again. */
const isSteady = (value: unknown): boolean => typeof value !== "object" || isEmptyList(value);

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** Whether values are the same, but for those at two places. */
function isSame(values: readonly unknown[], before: readonly unknown[], place: number, otherPlace: number): boolean {
  for (let at = 0; at < values.length; at++) {
    if (values[at] === before[at] || at === place || at === otherPlace) continue;
    if (!isEmptyList(values[at]) || !isEmptyList(before[at])) return false;
  }
  return true;
}
