/** Whether a model may be used, by its name: one of the patterns matches it, or there are none. "*" stands for any characters. */
export function mayUse(patterns: readonly string[], name: string): boolean {
  return patterns.length === 0 || matchersOf(patterns).some((matches) => matches(name));
}

type Matcher = (name: string) => boolean;

/** By the list of a caller, which is the same one for all of its calls. */
const compiled = new WeakMap<readonly string[], readonly Matcher[]>();

function matchersOf(patterns: readonly string[]): readonly Matcher[] {
  let matchers = compiled.get(patterns);
  if (matchers === undefined) {
    matchers = patterns.map(compile);
    compiled.set(patterns, matchers);
  }
  return matchers;
}

/** Takes time linear in pattern and name, whatever both are: what stands between two "*" is looked for once, from left to right. */
function compile(pattern: string): Matcher {
  const [first = "", ...others] = pattern.split("*");
  const last = others.pop();
  if (last === undefined) return (name) => name === pattern;
  const searches = others.filter((part) => part !== "").map(createSearch);
  return (name) => {
    const end = name.length - last.length;
    if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    let at = first.length;
    for (const search of searches) {
      at = search(name, at, end);
      if (at < 0) return false;
    }
    return true;
  };
}

/** Finds a text within others from `start` to `end`, and tells where it ends there; -1: it is not there (Knuth, Morris and Pratt). */
function createSearch(part: string): (text: string, start: number, end: number) => number {
  // How much of the part's beginning is still matched when the character after so many did not match.
  const fallback = [0];
  for (let at = 1, matched = 0; at < part.length; at += 1) {
    while (matched > 0 && part[at] !== part[matched]) matched = fallback[matched - 1] as number;
    if (part[at] === part[matched]) matched += 1;
    fallback.push(matched);
  }
  return (text, start, end) => {
    for (let at = start, matched = 0; at < end; at += 1) {
      while (matched > 0 && text[at] !== part[matched]) matched = fallback[matched - 1] as number;
      if (text[at] === part[matched]) matched += 1;
      if (matched === part.length) return at + 1;
    }
    return -1;
  };
}
