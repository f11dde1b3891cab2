import { LRUCache } from "lru-cache";
import type { ChatCompletion, ChatCompletionChunk } from "../gen/parley/chat/v1/completion_pb.ts";
import { type Message, Role } from "../gen/parley/chat/v1/message_pb.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import { CompletionListener } from "./completion-listener.ts";
import { isInPieces, isPieceOf, isSameCall, type Recalled, recalledOf, sizeOf } from "./recalled.ts";

/**
 * What a provider must get back with a tool call, and what clients that know nothing of it strip: the reasoning with its signatures,
 * and the calls' `extra_content`. It is kept by the ids of the calls, in memory, and each provider gets only its own back,
 * with a call that says the same. What is given back is of the same tenant.
 */
export interface Recollection {
  /**
   * Puts back what the messages with tool calls have lost: all of it, or pieces, as clients keep only the last one that do not know
   * how to join those of a stream. A message with reasoning details or `extra_content` that are none of that is left alone, and so is
   * another `reasoning_content`. Returns the same object where nothing is put back, and else a copy of what changes.
   */
  restore(provider: string, params: ChatCompletionParams): ChatCompletionParams;
  /** Keeps what a whole answer says that its provider must get back. */
  remember(provider: string, completion: ChatCompletion): void;
  /** Collects the same from a stream. It is kept at `finish`, which is called only for a stream that was whole. */
  listen(provider: string): { push(chunk: ChatCompletionChunk): void; finish(): void };
}

/** The recollections of all tenants. None is given what another's calls brought. */
export interface Recollections extends Recollection {
  /** That of a tenant; the empty name's is this one itself. A tenant's name has no line break. */
  of(tenant: string): Recollection;
}

/** One message that is kept, as other processes keep it, too. */
export interface Memory {
  /** Of the calls that it is found by. */
  readonly keys: readonly string[];
  readonly recalled: Recalled;
}

/** The other processes that serve as one with this: what one keeps, all keep. */
export interface Sharing {
  tell(memory: Memory): void;
  /** Has the listener called with what others tell, from now on. */
  listen(heard: (memory: Memory) => void): void;
}

/** How much is kept, and for how long. */
export interface RecollectionOptions {
  /** Most bytes of all of it, computed by the lengths of its texts; 0 keeps nothing. */
  readonly maxBytes: number;
  /** How long after its last use something is kept, in milliseconds. */
  readonly ttlMs: number;
  /** Unset: nobody else keeps it. */
  readonly sharing?: Sharing | undefined;
}

/** 64 MiB, for a day. */
const DEFAULTS: RecollectionOptions = { maxBytes: 64 * 1024 * 1024, ttlMs: 24 * 3_600_000 };

/** Makes a recollection. What was not used for longest goes first. */
export function createRecollection(options: Partial<RecollectionOptions> = {}): Recollections {
  const { maxBytes, ttlMs, sharing } = { ...DEFAULTS, ...options };
  if (maxBytes === 0) return { ...NOTHING, of: () => NOTHING };
  const kept = new LRUCache<string, Recalled>({
    maxSize: maxBytes,
    sizeCalculation: (recalled, key) => sizeOf(recalled) + 2 * key.length,
    ttl: ttlMs,
    updateAgeOnGet: true,
  });

  const set = ({ keys, recalled }: Memory): void => {
    for (const key of keys) kept.set(key, recalled);
  };
  sharing?.listen(set);
  const keep = (memory: Memory): void => {
    set(memory);
    sharing?.tell(memory);
  };
  const shared = new TenantRecollection("", kept, keep);
  return {
    restore: (provider, params) => shared.restore(provider, params),
    remember: (provider, completion) => shared.remember(provider, completion),
    listen: (provider) => shared.listen(provider),
    of: (tenant) => new TenantRecollection(tenant, kept, keep),
  };
}

class TenantRecollection implements Recollection {
  readonly #tenant: string;
  readonly #kept: Pick<LRUCache<string, Recalled>, "size" | "get">;
  readonly #keepMemory: (memory: Memory) => void;

  constructor(tenant: string, kept: Pick<LRUCache<string, Recalled>, "size" | "get">, keep: (memory: Memory) => void) {
    this.#tenant = tenant;
    this.#kept = kept;
    this.#keepMemory = keep;
  }

  restore(provider: string, params: ChatCompletionParams): ChatCompletionParams {
    if (this.#kept.size === 0) return params;
    /** A client may have made two messages of one; the reasoning goes to the first. */
    const used = new Set<Recalled>();
    const lastAt = lastUses(params.messages);
    let messages: Message[] | undefined;
    for (const [index, message] of params.messages.entries()) {
      if (message.role !== Role.ASSISTANT || message.toolCalls.length === 0) continue;
      const found = message.toolCalls.map((call) => {
        const recalled = lastAt.get(call.id) === index ? this.#kept.get(this.#keyOf(provider, call.id)) : undefined;
        return isSameCall(call, recalled?.calls.get(call.id)) ? recalled : undefined;
      });
      const recalled = found.find((it) => it !== undefined);
      if (recalled === undefined || !(isStripped(message) || isInPieces(message, recalled))) continue;
      messages ??= [...params.messages];
      messages[index] = restored(message, found, used.has(recalled) ? undefined : recalled);
      used.add(recalled);
    }
    return messages === undefined ? params : { ...params, messages };
  }

  remember(provider: string, { choices }: ChatCompletion): void {
    for (const { message } of choices) if (message !== undefined) this.#keep(provider, message);
  }

  listen(provider: string): CompletionListener {
    return new CompletionListener((message) => this.#keep(provider, message));
  }

  #keep(provider: string, message: Message): void {
    if (message.toolCalls.length === 0) return;
    const recalled = recalledOf(message);
    if (recalled === undefined) return;
    const ids = message.toolCalls.map(({ id }) => id).filter((id) => id !== "");
    this.#keepMemory({ keys: ids.map((id) => this.#keyOf(provider, id)), recalled });
  }

  #keyOf(provider: string, callId: string): string {
    return `${this.#tenant}\n${provider}\n${callId}`;
  }
}

const NOTHING: Recollection = {
  restore: (_provider, params) => params,
  remember: () => undefined,
  listen: () => ({ push: () => undefined, finish: () => undefined }),
};

/** Where each id of a call is used last: some servers begin anew with each answer, and what is kept is the last one's. */
function lastUses(messages: readonly Message[]): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const [index, { toolCalls }] of messages.entries()) for (const { id } of toolCalls) uses.set(id, index);
  return uses;
}

const isStripped = ({ toolCalls, reasoningDetails }: Message): boolean =>
  reasoningDetails.length === 0 && toolCalls.every(({ extraContent }) => extraContent === undefined);

/** A message with what it lacks. `found`: what is kept for each of its calls; `whole`: what gives the reasoning. */
function restored(message: Message, found: readonly (Recalled | undefined)[], whole: Recalled | undefined): Message {
  const copy: Message = {
    ...message,
    toolCalls: message.toolCalls.map((call, at) => {
      const extraContent = call.extraContent ?? found[at]?.calls.get(call.id)?.extraContent;
      return extraContent === call.extraContent ? call : { ...call, extraContent };
    }),
  };
  if (whole === undefined) return copy;
  copy.reasoningDetails = whole.reasoningDetails;
  const { reasoningContent } = whole;
  if (reasoningContent !== undefined && isPieceOf(message.reasoningContent, reasoningContent))
    copy.reasoningContent = reasoningContent;
  return copy;
}
