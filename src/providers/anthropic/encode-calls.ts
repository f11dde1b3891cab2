import type { JsonObject } from "@bufbuild/protobuf";
import { type ArgumentForm, argumentsOf } from "../call-arguments.ts";
import { COMMON_IDS, type IdForm, renderId } from "../tool-ids.ts";
import type { Call } from "../turns.ts";
import type { Notes } from "./encode-parts.ts";

const ARGUMENTS: ArgumentForm = { family: "Anthropic", maxDepth: 100 };

/** Arguments as an object, which Anthropic wants; what is none is wrapped into one. */
export const encodeInput = (call: Call, { adjustments }: Notes): JsonObject =>
  argumentsOf(call, ARGUMENTS, adjustments);

/** How Anthropic wants the names of tools. */
const NAMES: IdForm = { pattern: /^[A-Za-z0-9_-]{1,64}$/, strange: /[^A-Za-z0-9_-]+/g, head: 55, joint: "_" };

/** The name of a tool that was called before, as Anthropic takes it; other providers allow more ("server.tool"). */
export const encodeName = ({ name }: Pick<Call, "name">): string => renderId(name, NAMES);

/** Ids of calls as Anthropic takes them, each of which stands for one call. */
export class CallIds {
  readonly #ids = new Map<Call, string>();
  readonly #taken = new Set<string>();
  /** How often each id came: a long list of the same one is not gone through for each. */
  readonly #copies = new Map<string, number>();

  of(call: Call): string {
    const known = this.#ids.get(call);
    if (known !== undefined) return known;
    const id = renderId(call.id, COMMON_IDS);
    let unique = id;
    let copy = this.#copies.get(id) ?? 1;
    while (this.#taken.has(unique)) unique = `${id}_${++copy}`;
    this.#copies.set(id, copy);
    this.#taken.add(unique);
    this.#ids.set(call, unique);
    return unique;
  }
}
