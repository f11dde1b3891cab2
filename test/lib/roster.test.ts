import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Listed, Roster } from "../../src/lib/roster.ts";

interface Member extends Listed {
  readonly name: number;
}

const member = (name: number): Member => ({ name, place: -1 });
const namesOf = (roster: Roster<Member>): number[] => [...roster].map(({ name }) => name).sort((a, b) => a - b);

describe("Roster", () => {
  it("holds what a Set would hold", () => {
    const step = fc.record({ joins: fc.boolean(), which: fc.nat(19) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const roster = new Roster<Member>();
        const all = Array.from({ length: 20 }, (_, name) => member(name));
        const expected = new Set<number>();
        for (const { joins, which } of steps) {
          const one = all[which] as Member;
          if (!joins) expect(roster.delete(one)).toBe(expected.delete(which));
          else if (!expected.has(which)) {
            roster.add(one);
            expected.add(which);
          }
          expect(roster.size).toBe(expected.size);
        }
        expect(namesOf(roster)).toEqual([...expected].sort((a, b) => a - b));
      }),
    );
  });

  it("shows each of those that stay, whoever goes and comes meanwhile", () => {
    const names = fc.uniqueArray(fc.nat(9));
    fc.assert(
      fc.property(fc.array(names, { minLength: 10, maxLength: 10 }), (leaving) => {
        const roster = new Roster<Member>();
        const all = Array.from({ length: 10 }, (_, name) => member(name));
        for (const one of all) roster.add(one);
        const seen = new Set<number>();
        for (const { name } of roster) {
          seen.add(name);
          if (name >= 10) continue;
          for (const gone of leaving[name] ?? []) roster.delete(all[gone] as Member);
          roster.add(member(10 + name));
        }
        for (const name of namesOf(roster)) if (name < 10) expect(seen).toContain(name);
      }),
    );
  });
});
