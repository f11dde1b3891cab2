/** What can be on a roster; on one at a time. */
export interface Listed {
  /** Where it stands on its roster; -1: on none. It is the roster's to set. */
  place: number;
}

/**
 * Members that come and go by the thousand, in no order. A Set makes itself a new table each time it has held so many, the old table keeps
 * what was in it and leads to the new one, and once the first of them was old enough for the collector to look at it rarely, all that ever
 * was a member is kept until then: a call's whole state, of each call. Here nothing is left of who went.
 */
export class Roster<Member extends Listed> {
  readonly #members: Member[] = [];

  /** How many there are. */
  get size(): number {
    return this.#members.length;
  }

  /** Takes one in that is on no roster. */
  add(member: Member): void {
    member.place = this.#members.length;
    this.#members.push(member);
  }

  /** Lets one go that is on this roster, or on none. Returns whether it was there. */
  delete(member: Member): boolean {
    const { place } = member;
    if (place < 0) return false;
    const last = this.#members.pop() as Member;
    if (last !== member) {
      this.#members[place] = last;
      last.place = place;
    }
    member.place = -1;
    return true;
  }

  /** Goes through those that are there now; each of them may let itself go meanwhile, and others may come. */
  *[Symbol.iterator](): IterableIterator<Member> {
    // From behind: whoever goes is replaced by one that was seen.
    for (let at = this.#members.length - 1; at >= 0; at--) {
      const member = this.#members[at];
      if (member !== undefined) yield member;
    }
  }
}
