import type { Json } from "./ledger.ts";

/** What an answer comes to, whole or in pieces. */
export interface Gist {
  readonly id: unknown;
  readonly created: unknown;
  readonly model: unknown;
  /** JSON; undefined: there is none. */
  readonly usage: string | undefined;
  /** By their index. */
  readonly choices: readonly { readonly content: string; readonly end: unknown }[];
}

interface Piece extends Json {
  readonly index: number;
  readonly delta: { readonly content?: string | null };
}

/** Folds the chunks of an answer. Throws an Error where they are not of one answer, or go on behind an end. */
export function foldChunks(chunks: readonly Json[]): Gist {
  const [first] = chunks;
  if (first === undefined) throw new Error("there are no chunks");
  const { id, created, model } = first;
  const choices: { content: string; end: unknown }[] = [];
  let usage: string | undefined;
  for (const chunk of chunks) {
    if (chunk["id"] !== id || chunk["created"] !== created || chunk["model"] !== model) {
      throw new Error(`chunks of ${String(id)} and ${String(chunk["id"])}`);
    }
    if (chunk["usage"]) usage = JSON.stringify(chunk["usage"]);
    for (const { index, delta, ...piece } of chunk["choices"] as readonly Piece[]) {
      const choice = choices[index] ?? { content: "", end: null };
      choices[index] = choice;
      if (choice.end !== null) throw new Error(`choice ${index} goes on behind its end`);
      choice.content += delta.content ?? "";
      choice.end = piece["finish_reason"] ?? null;
    }
  }
  return { id, created, model, usage, choices };
}

interface Choice extends Json {
  readonly message: { readonly content: string | null };
}

/** What a whole answer comes to. */
export function gistOf({ id, created, model, usage, ...response }: Json): Gist {
  return {
    id,
    created,
    model,
    usage: usage ? JSON.stringify(usage) : undefined,
    choices: (response["choices"] as readonly Choice[]).map(({ message, ...choice }) => ({
      content: message.content ?? "",
      end: choice["finish_reason"],
    })),
  };
}
