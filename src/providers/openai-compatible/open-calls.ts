import { create } from "@bufbuild/protobuf";
import { type Message, MessageSchema, Role } from "../../gen/parley/chat/v1/message_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import type { ToolCall } from "../../gen/parley/chat/v1/tool_pb.ts";
import { OpenAIQuirks_CallIds as CallIds } from "../../gen/parley/config/v1/openai_compatible_pb.ts";
import { COMMON_IDS, type IdForm, renderId } from "../tool-ids.ts";
import { NO_RESULT, unanswered } from "../turns.ts";

/** Mistral's: 9 letters and digits. */
const NINE: IdForm = { pattern: /^[A-Za-z0-9]{9}$/, strange: /[^A-Za-z0-9]+/g, head: 1, joint: "" };

/** The calls of a message while their results are read. Its ids are as the server takes them, each once. */
export class OpenCalls {
  readonly calls: ToolCall[];
  readonly #path: string;
  /** Of the calls, by their place: the id in the request, while they have no result. */
  readonly #waiting: (string | undefined)[];

  /** `path`: of the message. */
  constructor(calls: readonly ToolCall[], callIds: CallIds, path: string) {
    const form = callIds === CallIds.NINE ? NINE : COMMON_IDS;
    const used = new Set<string>();
    this.#path = path;
    this.#waiting = calls.map(({ id }) => id);
    this.calls = calls.map((call) => {
      let id = renderId(call.id, form);
      for (let copy = 2; used.has(id); copy++) id = renderId(`${call.id}#${copy}`, form);
      used.add(id);
      return { ...call, id };
    });
  }

  /** The server's id of the first call with that id that has no result yet, which it has now; undefined: there is none. */
  answer(id: string): string | undefined {
    const at = this.#waiting.indexOf(id);
    if (at === -1) return undefined;
    this.#waiting[at] = undefined;
    return this.calls[at]?.id;
  }

  /** Messages for the calls that nobody answered. */
  missing(adjustments: Adjustment[]): Message[] {
    return this.calls.flatMap(({ id }, at) => {
      if (this.#waiting[at] === undefined) return [];
      adjustments.push(unanswered(`${this.#path}.tool_calls[${at}]`));
      const content = [{ kind: { case: "text" as const, value: NO_RESULT } }];
      return [create(MessageSchema, { role: Role.TOOL, toolCallId: id, content })];
    });
  }
}
