/** Where a text stops being JSON, and what is wrong there. */
export interface SyntaxFault {
  readonly problem: string;
  /** In UTF-16 code units, from 0. */
  readonly at: number;
}

/** What may come next: `first_key` and `element` may also be the end of an empty object or array. */
type State = "value" | "element" | "key" | "first_key" | "colon" | "after_value";

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;
const WORD_PART = /[\w.+-]/;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/**
 * Finds the first fault of a text by RFC 8259; undefined if there is none. For text that JSON.parse refused: its own messages have a
 * position only at times, and quote the text.
 */
export function findSyntaxFault(text: string): SyntaxFault | undefined {
  const closers: ("]" | "}")[] = [];
  let state: State = "value";
  for (let at = skipSpace(text, 0); ; at = skipSpace(text, at)) {
    const character = text[at];
    const closer = closers.at(-1);
    const mayClose = state === "element" || state === "first_key" || state === "after_value";
    if (mayClose && closer !== undefined && character === closer) {
      closers.pop();
      state = "after_value";
      at++;
    } else if (state === "after_value") {
      if (closer === undefined) return character === undefined ? undefined : { problem: "more text follows", at };
      if (character !== ",") return { problem: `"," or "${closer}" is missing`, at };
      state = closer === "]" ? "value" : "key";
      at++;
    } else if (state === "colon") {
      if (character !== ":") return { problem: '":" is missing', at };
      state = "value";
      at++;
    } else if (state === "key" || state === "first_key") {
      if (character !== '"') return { problem: "a key in double quotes is missing", at };
      const end = endOfString(text, at);
      if (typeof end !== "number") return end;
      at = end;
      state = "colon";
    } else if (character === "{" || character === "[") {
      closers.push(character === "{" ? "}" : "]");
      state = character === "{" ? "first_key" : "element";
      at++;
    } else {
      const end = endOfScalar(text, at);
      if (typeof end !== "number") return end;
      at = end;
      state = "after_value";
    }
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\n\r".includes(text[at]!)) at++;
  return at;
}

function endOfScalar(text: string, start: number): number | SyntaxFault {
  if (text[start] === '"') return endOfString(text, start);
  const end = endOfMatch(NUMBER, text, start) ?? endOfMatch(LITERAL, text, start);
  if (end === undefined) return { problem: "a value is missing", at: start };
  // Such as "01", "1.x", "nullable".
  if (WORD_PART.test(text[end] ?? "")) return { problem: "this is no number and no literal", at: end };
  return end;
}

function endOfString(text: string, start: number): number | SyntaxFault {
  for (let at = start + 1; at < text.length; ) {
    const character = text[at]!;
    if (character === '"') return at + 1;
    if (character < " ") return { problem: "a control character in a string is not escaped", at };
    if (character !== "\\") at++;
    else {
      const end = endOfMatch(ESCAPE, text, at);
      if (end === undefined) return { problem: "this escape does not exist", at };
      at = end;
    }
  }
  return { problem: "a string is not closed", at: text.length };
}

function endOfMatch(pattern: RegExp, text: string, start: number): number | undefined {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
