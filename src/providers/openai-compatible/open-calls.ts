import { create } from "@bufbuild/protobuf";
import { type Message, MessageSchema, Role } from "../../gen/parley/chat/v1/message_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import type { ToolCall } from "../../gen/parley/chat/v1/tool_pb.ts";
import { OpenAIQuirks_CallIds as CallIds } from "../../gen/parley/config/v1/openai_compatible_pb.ts";
import { COMMON_IDS, type IdForm, renderId } from "../tool-ids.ts";
import { NO_RESULT, unanswered } from "../turns.ts";
import { WaitingCalls } from "../waiting-calls.ts";

/** Mistral's: 9 letters and digits. */
const NINE: IdForm = { pattern: /^[A-Za-z0-9]{9}$/, strange: /[^A-Za-z0-9]+/g, head: 1, joint: "" };

/** The calls of a message while their results are read. Its ids are as the server takes them, each once. */
export class OpenCalls {
  readonly calls: ToolCall[];
  readonly #pathOf: (at: number) => string;
  readonly #waiting: WaitingCalls;

  /** `pathOf`: tells the path of a call, by its place. */
  constructor(calls: readonly ToolCall[], callIds: CallIds, pathOf: (at: number) => string) {
    const form = callIds === CallIds.NINE ? NINE : COMMON_IDS;
    const used = new Set<string>();
    this.#pathOf = pathOf;
    /** How often each id came: a long list of the same one is not gone through for each. */
    const copies = new Map<string, number>();
    this.#waiting = new WaitingCalls(calls.map(({ id, kind }) => ({ id, name: kind.value?.name ?? "" })));
    this.calls = calls.map((call) => {
      let id = renderId(call.id, form);
      let copy = copies.get(call.id) ?? 1;
      while (used.has(id)) id = renderId(`${call.id}#${++copy}`, form);
      copies.set(call.id, copy);
      used.add(id);
      return { ...call, id };
    });
  }

  /** The server's id of the first call that a message answers and that has no result yet, which it has now; undefined: there is none. */
  answer(message: Message): string | undefined {
    const at = this.#waiting.answer(message);
    return at === undefined ? undefined : this.calls[at]?.id;
  }

  /** Messages for the calls that nobody answered. */
  missing(adjustments: Adjustment[]): Message[] {
    return this.calls.flatMap(({ id }, at) => {
      if (!this.#waiting.isWaiting(at)) return [];
      adjustments.push(unanswered(this.#pathOf(at)));
      const content = [{ kind: { case: "text" as const, value: NO_RESULT } }];
      return [create(MessageSchema, { role: Role.TOOL, toolCallId: id, content })];
    });
  }
}
