/** A word of a text: as it was written, and as patterns see it. */
export interface Word {
  written: string;
  key: string;
}

/** One token of a compiled pattern. */
export type PatternToken = { kind: "some"; least: 0 | 1 } | { kind: "words"; words: ReadonlySet<string> };

/** Compiles a pattern of a script; its grammar is in eliza-script.ts. Throws when it names an unknown group. */
export function compilePattern(
  pattern: string,
  groups: Readonly<Record<string, readonly string[]>>,
): readonly PatternToken[] {
  return pattern.split(" ").map((token) => {
    if (token === "*" || token === "+") {
      return { kind: "some", least: token === "*" ? 0 : 1 };
    }
    if (!token.startsWith("@")) {
      return { kind: "words", words: new Set(token.split("|")) };
    }
    const members = groups[token.slice(1)];
    if (members === undefined) {
      throw new Error(`the pattern "${pattern}" names the group ${token}, which does not exist`);
    }
    return { kind: "words", words: new Set(members) };
  });
}

/**
 * Matches a pattern with all words of a clause, and returns what each wildcard took; undefined when it does not match.
 * Only the last wildcard passed is ever extended (an earlier one has nothing to gain), so the time is at most the
 * length of the clause times that of the pattern.
 */
export function matchPattern(pattern: readonly PatternToken[], words: readonly Word[]): Word[][] | undefined {
  const taken: { start: number; end: number }[] = [];
  let token = 0;
  let word = 0;
  let resumeToken = -1;
  for (;;) {
    const current = pattern[token];
    if (current?.kind === "some" && word + current.least <= words.length) {
      taken.push({ start: word, end: word + current.least });
      word += current.least;
      resumeToken = ++token;
      continue;
    }
    if (current?.kind === "words" && word < words.length && current.words.has(words[word]!.key)) {
      token++;
      word++;
      continue;
    }
    if (current === undefined && word === words.length) {
      return taken.map(({ start, end }) => words.slice(start, end));
    }
    const last = taken.at(-1);
    if (last === undefined || current?.kind === "some" || last.end >= words.length) {
      return undefined;
    }
    last.end++;
    word = last.end;
    token = resumeToken;
  }
}
