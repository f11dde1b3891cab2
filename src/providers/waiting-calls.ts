import { type Message, Role } from "../gen/parley/chat/v1/message_pb.ts";

/** Calls of one message that wait for their results. There may be many, so none is looked for among the others. */
export class WaitingCalls {
  readonly #waiting: boolean[];
  /** Places of the calls of each id, and of each name, first ones last. */
  readonly #byId = new Map<string, number[]>();
  readonly #byName = new Map<string, number[]>();

  constructor(calls: readonly { readonly id: string; readonly name: string }[]) {
    this.#waiting = calls.map(() => true);
    for (let at = calls.length - 1; at >= 0; at--) {
      const { id, name } = calls[at] as { id: string; name: string };
      add(this.#byId, id, at);
      add(this.#byName, name, at);
    }
  }

  /**
   * The place of the first call that a message answers and that still waited; undefined: there is none. Messages of tools have the id of
   * their call, and those of functions, in the legacy form, its name.
   */
  answer({ role, toolCallId = "", name = "" }: Pick<Message, "role" | "toolCallId" | "name">): number | undefined {
    const places = role === Role.FUNCTION ? this.#byName.get(name) : this.#byId.get(toolCallId);
    let at = places?.pop();
    while (at !== undefined && !this.isWaiting(at)) at = places?.pop();
    if (at !== undefined) this.#waiting[at] = false;
    return at;
  }

  /** Whether the call at a place still waits. */
  isWaiting(at: number): boolean {
    return this.#waiting[at] === true;
  }
}

function add(places: Map<string, number[]>, key: string, at: number): void {
  const known = places.get(key);
  if (known === undefined) places.set(key, [at]);
  else known.push(at);
}
