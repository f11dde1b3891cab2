import { type Listed, Roster } from "./roster.ts";

/** Something that is due at some time. */
export interface Due {
  /**
   * When it is due, by `performance.now()`; Infinity: it is not. It may be put off at any time without a word; that it is due sooner has to
   * be told.
   */
  readonly dueAt: number;
  /** It is due. From then on it is so later, or not at all. */
  due(): void;
}

/** Longest time until the members are looked at again: the timer outlives the last of them by no more. */
const LOOK_MS = 1_000;

/**
 * Tells each of many when it is due, by one timer. A timer for each costs about a microsecond, and most are put off or given up before
 * their time; so the timer here is not touched then, and looks at all of them when it fires. It does not keep the process from ending.
 */
export class DueList<Member extends Due & Listed> {
  readonly #members = new Roster<Member>();
  #timer: NodeJS.Timeout | undefined;
  #firesAt = Number.POSITIVE_INFINITY;

  /** How many there are. */
  get size(): number {
    return this.#members.size;
  }

  /** Takes one in. */
  add(member: Member): void {
    this.#members.add(member);
    this.sooner(member.dueAt);
  }

  /** One that is in may be due sooner than before, at that time. */
  sooner(at: number): void {
    if (at < this.#firesAt) this.#fireAt(at);
  }

  /** Lets one go. Returns whether it was there. */
  delete(member: Member): boolean {
    return this.#members.delete(member);
  }

  [Symbol.iterator](): IterableIterator<Member> {
    return this.#members[Symbol.iterator]();
  }

  #fireAt(at: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = at;
    const ms = Math.min(Math.max(0, Math.ceil(at - performance.now())), LOOK_MS);
    this.#timer = setTimeout(() => this.#fire(), ms);
    this.#timer.unref();
  }

  #fire(): void {
    this.#firesAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const member of this.#members) {
      if (member.dueAt <= now) member.due();
      next = Math.min(next, member.dueAt);
    }
    if (next < this.#firesAt) this.#fireAt(next);
  }
}
