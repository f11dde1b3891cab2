import type { DescMessage, JsonObject, JsonValue, Message, MessageShape } from "@bufbuild/protobuf";
import { planOf } from "./compile-plan.ts";
import type { MessagePlan } from "./plan.ts";

type Properties = Readonly<Record<string, unknown>>;

/** Where the text is that varies: in the only element of a list, in a message of that, in a field; each by its property. */
export type TextPlace = readonly [list: string, holder: string, text: string];

/** The text around one text that varies, and the values of all else that it was made of. */
export interface TextFrame {
  readonly head: string;
  readonly tail: string;
  readonly values: readonly (readonly unknown[])[];
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
  const names = [
    namesOf(top).filter((name) => name !== list && name !== without),
    namesOf(listPlan.plan).filter((name) => name !== holder),
    namesOf(holderPlan.plan).filter((name) => name !== text),
  ];

  /** The message, its only element and that one's holder, where the text is set. */
  const levelsOf = (message: Message): [Properties, Properties, Properties] | undefined => {
    const outer = message as unknown as Properties;
    const elements = outer[list] as readonly Properties[];
    const element = elements.length === 1 ? elements[0] : undefined;
    const inner = element?.[holder] as Properties | undefined;
    return element === undefined || typeof inner?.[text] !== "string" ? undefined : [outer, element, inner];
  };

  return {
    fill({ head, tail, values }, message) {
      const levels = levelsOf(message);
      if (levels === undefined) return undefined;
      for (let at = 0; at < levels.length; at++)
        if (!isSame(levels[at] as Properties, names[at] as string[], values[at] as unknown[])) return undefined;
      return head + JSON.stringify((levels[2][text] as string).toWellFormed()) + tail;
    },
    frameOf(message, json) {
      const levels = levelsOf(message);
      const values = levels?.map((level, at) => (names[at] as string[]).map((name) => level[name]));
      if (values === undefined || !values.every((level) => level.every(isSteady))) return undefined;
      const [element] = json[listPlan.key] as JsonObject[];
      const inner = element?.[holderPlan.key] as Record<string, JsonValue>;
      inner[key.key] = MARK;
      const [head, tail, ...more] = JSON.stringify(json).split(JSON.stringify(MARK));
      return head === undefined || tail === undefined || more.length > 0 ? undefined : { head, tail, values };
    },
  };
}

function messagePlanAt(
  { desc, parts }: MessagePlan,
  name: string,
): { readonly key: string; readonly plan: MessagePlan } {
  const part = parts.find((each) => each.name === name);
  if (part === undefined || part.kind === "union" || part.value.kind !== "message")
    throw new Error(`${desc}: there is no message "${name}"`);
  return { key: part.key, plan: part.value.plan };
}

const namesOf = ({ parts, catchAll }: MessagePlan): string[] => [
  ...parts.map(({ name }) => name),
  ...(catchAll === undefined ? [] : [catchAll]),
];

/** Whether a value can't change while it stays the same. The empty lists of a message are not used again. */
const isSteady = (value: unknown): boolean => typeof value !== "object" || isEmptyList(value);

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function isSame(properties: Properties, names: readonly string[], values: readonly unknown[]): boolean {
  for (let at = 0; at < names.length; at++) {
    const value = properties[names[at] as string];
    const before = values[at];
    if (value !== before && !(isEmptyList(value) && isEmptyList(before))) return false;
  }
  return true;
}
