import type { Random } from "../random.ts";
import { compilePattern, matchPattern, type PatternToken, type Word } from "./match.ts";
import { type ElizaScript, script as ownScript } from "./script.ts";

/** A text to answer, and what went before it. */
export interface Heard {
  /** What the same person wrote earlier, the oldest first. Only the last 50 count. */
  history: readonly string[];
  text: string;
}

/** What decides between replies that fit. */
export interface ElizaSampling {
  /** Decides between replies when the temperature is above 0. */
  random: Random;
  /** 0 always takes the reply whose turn it is; the higher, the more often another one. 1 when unset. */
  temperature?: number;
  /** Leaves out the least likely replies, beyond this share of probability. 1 when unset. */
  topP?: number;
}

/** A conversation partner that follows a script. */
export interface Eliza {
  /**
   * Reads a conversation, and returns the function that replies to it, as often as is wanted. Replies are never empty, and depend
   * on what was heard and the sampling alone.
   */
  hear(heard: Heard): (sampling: ElizaSampling) => string;
}

interface Rule {
  pattern: readonly PatternToken[];
  replies: readonly string[];
  later: readonly string[];
}

interface Keyword {
  rank: number;
  rules: readonly Rule[];
}

/** A keyword that was found, and the clause that it was found in. */
interface Finding {
  keyword: Keyword;
  clause: readonly Word[];
}

/** What has happened in a conversation: how often each list of replies was used, and what is kept for later. */
interface Conversation {
  turns: Map<readonly string[], number>;
  memory: string[];
}

/** Picks one of some replies, given in the order of their turn. */
type Choose = (replies: readonly string[]) => string;

const MAX_HISTORY = 50;
/** Of a longer text, so many characters at its beginning and at its end are read. */
const READ_LENGTH = 4000;
const MAX_MEMORY = 10;
const MAX_ECHOED_WORDS = 12;
const MAX_ECHOED_LENGTH = 120;
/** How often one reply may lead on to another keyword. */
const MAX_JUMPS = 5;
/** A word (with its apostrophes, hyphens and decimal points), a run of symbols such as `+`, or the end of a clause. */
const WORD_OR_END =
  /(?:-(?=\p{N}))?[\p{L}\p{M}\p{N}]+(?:['’\-_][\p{L}\p{M}\p{N}]+|(?<=\p{N})[.,:]\p{N}+)*|[+*/=<>%^&#@$€£]+|[.!?;:,\n]/gu;

/** Prepares a script. Throws when it names a group or a keyword that it does not have. */
export function createEliza(script: ElizaScript = ownScript): Eliza {
  const keywords = compileKeywords(script);
  checkJumps(script, keywords);

  function hear({ history, text }: Heard): (sampling: ElizaSampling) => string {
    const conversation: Conversation = { turns: new Map(), memory: [] };
    // What came before is replayed with first choices: only the turns and the memory that it leaves matter.
    for (const earlier of history.slice(-MAX_HISTORY)) {
      respond(understand(earlier), conversation, takeFirst);
    }
    const understood = understand(text);
    return ({ random, temperature = 1, topP = 1 }) => {
      const own: Conversation = { turns: new Map(conversation.turns), memory: [...conversation.memory] };
      return respond(understood, own, (replies) => pickByTurn(replies, random, temperature, topP));
    };
  }

  /** The keywords of a text; undefined when it has not a word. */
  function understand(text: string): readonly Finding[] | undefined {
    const clauses = readClauses(text, script);
    return clauses.length === 0 ? undefined : findKeywords(clauses, keywords);
  }

  function respond(findings: readonly Finding[] | undefined, conversation: Conversation, choose: Choose): string {
    if (findings === undefined) {
      return choose(takeTurn(script.silent, conversation));
    }
    for (const finding of findings) {
      const answer = applyKeyword(finding, conversation, choose, 0);
      if (answer !== undefined) {
        return answer;
      }
    }
    return conversation.memory.shift() ?? choose(takeTurn(script.none, conversation));
  }

  function applyKeyword(
    { keyword, clause }: Finding,
    conversation: Conversation,
    choose: Choose,
    jumps: number,
  ): string | undefined {
    for (const rule of keyword.rules) {
      const taken = matchPattern(rule.pattern, clause);
      if (taken === undefined) {
        continue;
      }
      const chosen = choose(takeTurn(rule.replies, conversation));
      if (chosen.startsWith("=")) {
        const next = keywords.get(chosen.slice(1));
        const goesOn = next !== undefined && jumps < MAX_JUMPS;
        return goesOn ? applyKeyword({ keyword: next, clause }, conversation, choose, jumps + 1) : undefined;
      }
      const echoes = taken.map((words) => echo(words, script));
      remember(rule, echoes, conversation);
      return assemble(chosen, echoes);
    }
    return undefined;
  }
  return { hear };
}

function compileKeywords(script: ElizaScript): ReadonlyMap<string, Keyword> {
  const keywords = new Map<string, Keyword>();
  for (const { words, rank, rules } of script.keywords) {
    const compiled = rules.map(({ pattern, replies, later = [] }) => {
      return { pattern: compilePattern(pattern, script.groups), replies, later };
    });
    for (const word of words) {
      keywords.set(word, { rank, rules: compiled });
    }
  }
  return keywords;
}

function checkJumps(script: ElizaScript, keywords: ReadonlyMap<string, Keyword>): void {
  const replies = script.keywords.flatMap(({ rules }) => rules.flatMap((rule) => rule.replies));
  const lost = replies.find((reply) => reply.startsWith("=") && !keywords.has(reply.slice(1)));
  if (lost !== undefined) {
    throw new Error(`the reply "${lost}" leads to a keyword that does not exist`);
  }
}

/** The clauses of a text, each a list of words, with unified spellings. Empty clauses are left out. */
function readClauses(text: string, script: ElizaScript): Word[][] {
  const whole = text.length <= READ_LENGTH * 2;
  const read = whole ? text : `${text.slice(0, READ_LENGTH)}\n${text.slice(-READ_LENGTH)}`;
  const clauses: Word[][] = [[]];
  for (const [written] of read.matchAll(WORD_OR_END)) {
    if (/^[.!?;:,\n]$/.test(written)) {
      clauses.push([]);
    } else {
      clauses.at(-1)!.push(...unify(written, script));
    }
  }
  return clauses.filter((clause) => clause.length > 0);
}

function unify(written: string, script: ElizaScript): Word[] {
  const key = written.normalize("NFKC").toLowerCase().replaceAll("’", "'");
  if (!Object.hasOwn(script.before, key)) {
    return [{ written, key }];
  }
  return script.before[key]!.split(" ").map((word) => ({ written: word, key: word }));
}

/** The keywords of a text, highest rank first. Sorting keeps the order of equals. */
function findKeywords(clauses: readonly Word[][], keywords: ReadonlyMap<string, Keyword>): Finding[] {
  const findings = clauses.flatMap((clause) =>
    clause.flatMap(({ key }) => {
      const keyword = keywords.get(key);
      return keyword === undefined ? [] : [{ keyword, clause }];
    }),
  );
  return firstOfEach(findings).sort((a, b) => b.keyword.rank - a.keyword.rank);
}

/** Without the findings that repeat a keyword in the same clause, which would be in vain again. */
function firstOfEach(findings: readonly Finding[]): Finding[] {
  const seen = new Map<readonly Word[], Set<readonly Rule[]>>();
  return findings.filter(({ keyword, clause }) => {
    const known = seen.get(clause) ?? new Set();
    const isNew = !known.has(keyword.rules);
    seen.set(clause, known.add(keyword.rules));
    return isNew;
  });
}

/** The replies beginning with the one whose turn it is, and passes the turn on. */
function takeTurn(replies: readonly string[], { turns }: Conversation): readonly string[] {
  const turn = turns.get(replies) ?? 0;
  turns.set(replies, turn + 1);
  const start = turn % replies.length;
  return [...replies.slice(start), ...replies.slice(0, start)];
}

function takeFirst(replies: readonly string[]): string {
  return replies[0]!;
}

/**
 * Draws a reply: the nth has the logit -n, divided by the temperature; of these probabilities, only the most likely
 * ones that together reach `topP` take part.
 */
function pickByTurn(replies: readonly string[], random: Random, temperature: number, topP: number): string {
  if (!(temperature > 0) || replies.length === 1) {
    return takeFirst(replies);
  }
  const weights = replies.map((_, index) => Math.exp(-index / temperature));
  const sum = weights.reduce((a, b) => a + b, 0);
  const kept: number[] = [];
  let mass = 0;
  for (const weight of weights) {
    if (kept.length > 0 && mass >= topP * sum) {
      break;
    }
    kept.push(weight);
    mass += weight;
  }
  let rest = random.next() * mass;
  const index = kept.findIndex((weight) => {
    rest -= weight;
    return rest < 0;
  });
  return replies[index === -1 ? kept.length - 1 : index]!;
}

function remember({ later }: Rule, echoes: readonly string[], conversation: Conversation): void {
  if (later.length > 0) {
    conversation.memory.push(assemble(takeTurn(later, conversation)[0]!, echoes));
    conversation.memory.splice(0, conversation.memory.length - MAX_MEMORY);
  }
}

function assemble(reply: string, echoes: readonly string[]): string {
  const text = reply.replace(/\$(\d)/g, (_, number: string) => echoes[Number(number) - 1] ?? "");
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Words as the other side would say them: `my` becomes `your`. Long ones are cut. */
function echo(words: readonly Word[], script: ElizaScript): string {
  const { after, subjects } = script;
  const said: string[] = [];
  for (let index = 0; index < words.length && said.length < MAX_ECHOED_WORDS; index++) {
    const pair = `${words[index]!.key} ${words[index + 1]?.key}`;
    const isPair = Object.hasOwn(after, pair);
    const key = isPair ? pair : words[index]!.key;
    const reflected = !isPair && isSubject(words, index, script) ? subjects.words : after;
    said.push(Object.hasOwn(reflected, key) ? reflected[key]! : words[index]!.written);
    index += isPair ? 1 : 0;
  }
  const whole = said.join(" ");
  const characters = [...whole.slice(0, MAX_ECHOED_LENGTH * 2)];
  const isCut = characters.length > MAX_ECHOED_LENGTH || words.length > MAX_ECHOED_WORDS;
  return isCut ? `${characters.slice(0, MAX_ECHOED_LENGTH).join("").toWellFormed()}…` : whole;
}

/** Whether a word that can be a subject is one here, as far as its neighbours tell. */
function isSubject(words: readonly Word[], index: number, { subjects }: ElizaScript): boolean {
  const [before, word, next] = [words[index - 1], words[index], words[index + 1]];
  return (
    word !== undefined &&
    next !== undefined &&
    Object.hasOwn(subjects.words, word.key) &&
    (before === undefined || subjects.openers.includes(before.key)) &&
    !subjects.followers.includes(next.key)
  );
}
