/** What a conversation says that can fill a schema: found in its last 4,000 characters, later mentions first. */
export interface Hints {
  /** Where a word or phrase is last mentioned, whole and in any case; -1 when it is not. `_` and `-` equal a space. */
  mention(phrase: string): number;
  /** Texts that suit a property of this name, best first. */
  texts(name: string): readonly string[];
  /** Numbers that suit a property of this name, best first. */
  numbers(name: string): readonly number[];
}

const MAX_HINT_LENGTH = 4000;
const MAX_NAME_LENGTH = 60;

const CAPITALISED = String.raw`\p{Lu}[\p{L}\p{M}'’-]*(?:\s+\p{Lu}[\p{L}\p{M}'’-]*){0,3}`;
const PLACE = new RegExp(String.raw`\b(?:in|at|for|from|to|near|of|around|visit)\s+(${CAPITALISED})`, "gu");
const ORIGIN = new RegExp(String.raw`\bfrom\s+(${CAPITALISED})`, "gu");
const DESTINATION = new RegExp(String.raw`\bto\s+(${CAPITALISED})`, "gu");
const LOWER_CASE_PLACE = /\b(?:in|near)\s+(?!the\b|an?\b|my\b|this\b|which\b|general\b)(\p{Ll}[\p{L}\p{M}'’-]+)/gu;
const PERSON = new RegExp(String.raw`\b(?:named?|called|am|is|I'm|for|with|to|by)\s+(${CAPITALISED})`, "gu");
const INNER_NAME = new RegExp(String.raw`[\p{Ll}\p{N},;]\s+(${CAPITALISED})`, "gu");
const QUOTED = /["“«]([^"“”«»]{1,500})["”»]|`([^`]{1,500})`/gu;
const URL_TEXT = /\b(https?:\/\/[^\s"'<>()]{1,500}[^\s"'<>().,;:!?])/g;
const EMAIL = /\b([\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})\b/g;
const DATE_TIME = /\b(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)\b/g;
const DATE = /\b(\d{4}-\d\d-\d\d)\b/g;
const TIME = /\b(\d\d?:\d\d(?::\d\d)?)\b/g;
const EXPRESSION = /(?<![\d.])((?:\d{1,15}(?:\.\d{1,15})?|\()[\d\s.()]{0,20}(?:[-+*/^%×÷][\d\s.()]{1,40}){1,10})/g;
const NUMBER = /(?<![\p{L}\p{N}_.:-])-?\d{1,15}(?:\.\d{1,15})?(?![\p{L}\p{N}_:]|[.-]\d)/gu;
const DAY = /\b(today|tomorrow|yesterday|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b/gi;

/** What often stands in capitals where a place could stand: "in Celsius", "in JSON", "for Monday". */
const NOT_PLACES =
  /^(?:Celsius|Fahrenheit|Kelvin|JSON|English|French|German|Spanish|Portuguese|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May|June|July|August|September|October|November|December|I)$/;

/** Words of property names, and what to look for in the text. The first row that has a word of the name is taken. */
const ROWS: readonly { words: readonly string[]; find: (text: string) => string[] }[] = [
  { words: ["url", "uri", "link", "href", "website"], find: (text) => findAll(text, URL_TEXT) },
  { words: ["email", "mail"], find: (text) => findAll(text, EMAIL) },
  { words: ["origin", "source", "from", "departure"], find: (text) => findAll(text, ORIGIN) },
  { words: ["destination", "target", "to", "arrival"], find: (text) => findAll(text, DESTINATION) },
  {
    words: ["city", "location", "place", "town", "country", "region", "state", "address", "where"],
    find: (text) =>
      [...findAll(text, PLACE), ...findAll(text, INNER_NAME), ...findAll(text, LOWER_CASE_PLACE)].filter(
        (found) => !NOT_PLACES.test(found),
      ),
  },
  {
    words: ["name", "person", "user", "author", "customer", "recipient", "who", "attendees", "participants"],
    find: (text) => [...findAll(text, PERSON), ...findAll(text, QUOTED), ...findAll(text, INNER_NAME)],
  },
  {
    words: ["date", "day", "when", "start", "end", "since", "until", "datetime", "timestamp"],
    find: (text) => [...findAll(text, DATE_TIME), ...findAll(text, DATE), ...findAll(text, DAY)],
  },
  { words: ["time", "hour"], find: (text) => findAll(text, TIME) },
  {
    words: ["expression", "formula", "equation", "calculation", "math"],
    find: (text) => findAll(text, EXPRESSION),
  },
  {
    words: ["query", "q", "search", "question", "prompt", "request", "message", "input", "text", "content", "sentence"],
    find: (text) => [...findAll(text, QUOTED), ...lastLine(text)],
  },
];

/** Names of numbers that say only which of several they are: the position to take, in the order of the text. */
const POSITIONS: ReadonlyMap<string, number> = new Map(
  [
    ["a", "x", "first", "left", "lhs", "n", "num", "number", "value", "amount", "quantity"],
    ["b", "y", "second", "right", "rhs"],
    ["c", "z", "third"],
  ].flatMap((words, position) => words.map((word) => [word, position])),
);

/** Reads a conversation for hints. Only its end is read, so the cost has a bound. */
export function createHints(conversation: string): Hints {
  const text = conversation.slice(-MAX_HINT_LENGTH).toWellFormed();
  const normalised = ` ${normalise(text)} `;
  const found = findNumbers(text);

  function mention(phrase: string): number {
    const wanted = phrase.length > MAX_HINT_LENGTH ? "" : normalise(phrase);
    return wanted === "" ? -1 : normalised.lastIndexOf(` ${wanted} `);
  }
  function texts(name: string): readonly string[] {
    const words = nameWords(name);
    if (words.length === 0 || text === "") {
      return [];
    }
    const row = ROWS.find((candidate) => candidate.words.some((word) => words.includes(word)));
    return [...findAssigned(text, words), ...(row?.find(text) ?? findAll(text, QUOTED))];
  }
  function numbers(name: string): readonly number[] {
    const words = nameWords(name);
    const beside = found.filter(({ neighbours }) =>
      neighbours.some((word) => words.some((own) => isSameWord(own, word))),
    );
    const position = words.length === 1 ? POSITIONS.get(words[0]!) : undefined;
    const chosen = position === undefined ? [] : found.slice(position, position + 1);
    return [...beside.reverse(), ...chosen].map(({ value }) => value);
  }
  return { mention, texts, numbers };
}

/** The lower-case words of a property name: `startDate` and `start_date` are both start, date. */
export function nameWords(name: string): string[] {
  const split = name.slice(0, MAX_NAME_LENGTH).replace(/(\p{Ll}|\d)(\p{Lu})/gu, "$1 $2");
  return normalise(split).split(" ").filter(Boolean);
}

function normalise(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, " ")
    .trim();
}

/** What stands after the name itself: `name: value`, `name = value`, `name is Capitalised Value`. */
function findAssigned(text: string, words: readonly string[]): string[] {
  const [first = "", ...others] = words;
  // Not by the i flag, under which every letter is a capital one.
  const capitalised = `${first.slice(0, 1).toUpperCase()}${first.slice(1)}`;
  const name = [`(?:${first}|${capitalised})`, ...others].join(String.raw`[\s_-]?`);
  const value = String.raw`"([^"]{1,500})"|(${CAPITALISED})|([^\s",;]{1,200})`;
  return findAll(text, new RegExp(String.raw`(?<![\p{L}\p{N}])${name}\s{0,3}(?:[:=]|is\b)\s{0,3}(?:${value})`, "gu"));
}

function findNumbers(text: string): { value: number; neighbours: string[] }[] {
  return [...text.matchAll(NUMBER)].map((match) => {
    const end = match.index + match[0].length;
    const before = normalise(text.slice(Math.max(0, match.index - 40), match.index))
      .split(" ")
      .slice(-2);
    const after = normalise(text.slice(end, end + 40))
      .split(" ")
      .slice(0, 1);
    return { value: Number(match[0]), neighbours: [...before, ...after].filter(Boolean) };
  });
}

function isSameWord(a: string, b: string): boolean {
  return a === b || `${a}s` === b || a === `${b}s`;
}

/** The first group that took part in each match, trimmed, from the end of the text. */
function findAll(text: string, expression: RegExp): string[] {
  const matches = [...text.matchAll(expression)];
  return matches.reverse().flatMap((match) => {
    const captured = match.slice(1).find((group) => group !== undefined);
    const trimmed = captured?.trim().replace(/[.,;:!?]+$/, "") ?? "";
    return trimmed === "" ? [] : [trimmed];
  });
}

function lastLine(text: string): string[] {
  const line = text.trim().split(/\n+/).at(-1)?.trim() ?? "";
  return line === "" ? [] : [line];
}
