import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import { isLegacyForm } from "../legacy-form.ts";

/** Names that Gemini takes for a function; OpenAI's may begin with a digit or "-", too. */
const TAKEN = /^[A-Za-z_]/;

/** Names of the tools of a request, as the caller has them and as Gemini takes them. */
export class ToolNames {
  readonly #callers = new Map<string, string>();
  /** Wire names of those that Gemini does not take, the first where a name is given twice. */
  readonly #wires = new Map<string, string>();
  readonly #customs: ReadonlySet<string>;
  /** Whether the caller gave functions in the legacy form, and so wants one function call. */
  readonly isLegacy: boolean;

  constructor(params: ChatCompletionParams) {
    const { tools, functions } = params;
    const names =
      tools.length > 0 ? tools.map(({ kind }) => kind.value?.name ?? "") : functions.map(({ name }) => name);
    for (const name of names.filter((each) => TAKEN.test(each))) this.#callers.set(name, name);
    for (const name of names.filter((each) => !TAKEN.test(each))) {
      if (this.#wires.has(name)) continue;
      const wire = this.reserve(name);
      this.#wires.set(name, wire);
      this.#callers.set(wire, name);
    }
    this.#customs = new Set(tools.flatMap(({ kind }) => (kind.case === "custom" ? [kind.value.name] : [])));
    this.isLegacy = isLegacyForm(params);
  }

  /** The name for Gemini. It may be that of a tool that the request does not have any more. */
  toWire(name: string): string {
    if (TAKEN.test(name)) return name;
    return this.#wires.get(name) ?? `_${name}`;
  }

  /** The caller's name. */
  toCaller(wire: string): string {
    return this.#callers.get(wire) ?? wire;
  }

  /** Whether the caller's tool of this name takes text. */
  isCustom(name: string): boolean {
    return this.#customs.has(name);
  }

  /** A name like this one, that Gemini takes and that no tool of the request has. */
  reserve(name: string): string {
    let wire = TAKEN.test(name) ? name : `_${name}`;
    while (this.#callers.has(wire)) wire = `_${wire}`;
    return wire;
  }
}
