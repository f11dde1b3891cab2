import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEliza, type Eliza } from "../../../src/providers/sandbox/eliza/eliza.ts";
import { type ElizaScript, script } from "../../../src/providers/sandbox/eliza/script.ts";
import { createRandom } from "../../../src/providers/sandbox/random.ts";

/** A script small enough to know by heart. */
const SMALL: ElizaScript = {
  before: { "don't": "do not" },
  after: { my: "your", me: "you", "i am": "you are", i: "you" },
  subjects: { words: {}, openers: [], followers: [] },
  groups: { pet: ["cat", "dog"] },
  keywords: [
    { words: ["hello", "hi"], rank: 0, rules: [{ pattern: "*", replies: ["H1", "H2", "H3"] }] },
    {
      words: ["my"],
      rank: 2,
      rules: [
        { pattern: "* my @pet *", replies: ["=pets"] },
        { pattern: "* my +", replies: ["your $2?"], later: ["back to $2", "again $2"] },
      ],
    },
    {
      words: ["pets"],
      rank: 1,
      rules: [
        { pattern: "* cat *", replies: ["cat with $2|$1"] },
        { pattern: "*", replies: ["pets"] },
      ],
    },
    { words: ["not"], rank: 3, rules: [{ pattern: "+ do not *", replies: ["$1 does not $2"] }] },
    { words: ["loop"], rank: 9, rules: [{ pattern: "*", replies: ["=loop"] }] },
    { words: ["exact"], rank: 9, rules: [{ pattern: "exact|precise word", replies: ["exactly"] }] },
  ],
  none: ["N1", "N2"],
  silent: ["S1", "S2"],
};

interface Options {
  history?: string[];
  seed?: string;
  temperature?: number;
  topP?: number;
}

function answer(
  eliza: Eliza,
  text: string,
  { history = [], seed = "1", ...sampling }: Options = { temperature: 0 },
): string {
  return eliza.hear({ history, text })({ random: createRandom(seed), ...sampling });
}

describe("createEliza()", () => {
  const small = createEliza(SMALL);

  it.each([
    ["hi", "H1"],
    ["HELLO!", "H1"],
    ["hello, my friend tells me that I am late", "Your friend tells you that you are late?"],
    ["well, this is my cat with me.", "Cat with with you|this is your"],
    ["my dog", "Pets"],
    ["You don’t listen to my sister", "You does not listen to your sister"],
    ["do not", "N1"],
    ["loop", "N1"],
    ["loop hi", "H1"],
    ["precise word", "N1"],
    ["exact word", "Exactly"],
    ["an exact word", "N1"],
    ["my", "N1"],
    ["nothing known", "N1"],
    ["", "S1"],
    ["!?… 🎉", "S1"],
    ["my ¿Straße?", "Your Straße?"],
    ["my 2+2=4.5, -3", "Your 2 + 2 = 4.5?"],
    [`my ${"word ".repeat(20)}`, `Your ${Array(12).fill("word").join(" ")}…?`],
    [`my ${"é".repeat(500)}`, `Your ${"é".repeat(120)}…?`],
  ])("answers %j by its script", (text, reply) => {
    expect(answer(small, text)).toBe(reply);
  });

  it.each([
    [[], "hi", "H1"],
    [["hi"], "hi", "H2"],
    [["hi", "hello", "hi"], "hi", "H1"],
    [["unknown"], "unknown", "N2"],
    [["my car"], "unknown", "Back to car"],
    [["my car", "unknown"], "unknown", "N1"],
    [["my car", "my bike"], "unknown", "Back to car"],
    [["my car", "my bike", "unknown"], "unknown", "Again bike"],
    [["my car", ...Array<string>(50).fill("hi")], "unknown", "N1"],
  ])("after %j answers %j in its turn", (history, text, reply) => {
    expect(answer(small, text, { history, temperature: 0 })).toBe(reply);
  });

  it("gives the same reply to the same input, whatever it was asked before", () => {
    const own = createEliza();
    const input = { history: ["hello", "my code fails"], seed: "7" };
    const first = answer(own, "explain recursion", input);
    answer(own, "explain something else", { seed: "8" });
    expect(answer(own, "explain recursion", input)).toBe(first);
    expect(answer(createEliza(), "explain recursion", input)).toBe(first);
  });

  const SEEDS = Array.from({ length: 300 }, (_, index) => `seed ${index}`);
  it.each([
    [{ temperature: 0 }, ["H1"]],
    [{ temperature: 0.05 }, ["H1"]],
    [{ temperature: 2, topP: 0.1 }, ["H1"]],
    [{ temperature: 1, topP: 0.7 }, ["H1", "H2"]],
    [{ temperature: 1 }, ["H1", "H2", "H3"]],
    [{}, ["H1", "H2", "H3"]],
    [{ topP: 0 }, ["H1"]],
  ])("chooses under %j among %j", (sampling, replies) => {
    const drawn = SEEDS.map((seed) => answer(small, "hi", { seed, ...sampling }));
    expect([...new Set(drawn)].sort()).toEqual(replies);
  });

  it("chooses the more evenly the higher the temperature", () => {
    const share = (temperature: number): number =>
      SEEDS.filter((seed) => answer(small, "hi", { seed, temperature }) === "H1").length / SEEDS.length;
    const shares = [0.5, 1, 2].map(share);
    expect(shares).toEqual(shares.toSorted((a, b) => b - a));
    expect(share(100)).toBeCloseTo(1 / 3, 1);
  });

  it("answers anything with a well-formed text", () => {
    const own = createEliza();
    const vocabulary = script.keywords.flatMap(({ words }) => words);
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc
        .array(fc.oneof(fc.constantFrom(...vocabulary, "i", "you", "my", "is", ",", "."), fc.string()), {
          maxLength: 15,
        })
        .map((words) => words.join(" ")),
    );
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 5 }), texts, fc.string(), (history, text, seed) => {
        const reply = answer(own, text, { history, seed });
        expect(reply.trim()).not.toBe("");
        expect(reply).not.toMatch(/\$\d|^=|undefined/);
        expect(reply.isWellFormed()).toBe(true);
        expect(reply.length).toBeLessThan(2000);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    "my ",
    "a",
    "because if my ",
    "🎉",
    "\n",
    ". my x",
    "don't ",
  ])("answers 1 MB of %j, also as history", (unit) => {
    const text = unit.repeat(1_000_000 / unit.length);
    expect(answer(createEliza(), text, { history: Array(50).fill(text) })).not.toBe("");
  });

  it("reads the beginning and the end of a long text", () => {
    const filler = "blah ".repeat(200_000);
    expect(answer(small, `${filler} hello`)).toBe("H1");
    expect(answer(small, `hello ${filler}`)).toBe("H1");
    expect(answer(small, `${filler} hello ${filler}`)).toBe("N1");
  });

  it("rejects a script that names what it does not have", () => {
    const withRule = (pattern: string, reply: string): ElizaScript => ({
      ...SMALL,
      keywords: [{ words: ["x"], rank: 0, rules: [{ pattern, replies: [reply] }] }],
    });
    expect(() => createEliza(withRule("* @fish", "x"))).toThrow(
      'the pattern "* @fish" names the group @fish, which does not exist',
    );
    expect(() => createEliza(withRule("*", "=fish"))).toThrow(
      'the reply "=fish" leads to a keyword that does not exist',
    );
  });
});

describe("script", () => {
  const rules = script.keywords.flatMap((keyword) => keyword.rules);
  const eliza = createEliza();

  it("has a vocabulary, and answers long enough to watch them stream", () => {
    expect(script.keywords.length).toBeGreaterThanOrEqual(40);
    const long = rules.flatMap(({ replies }) => replies).filter((reply) => reply.split(/\s+/).length >= 30);
    expect(long.length).toBeGreaterThanOrEqual(15);
  });

  it("has no word twice", () => {
    const words = script.keywords.flatMap((keyword) => keyword.words);
    expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
  });

  it("has only words and patterns that a text can have", () => {
    const words = [
      ...script.keywords.flatMap((keyword) => keyword.words),
      ...rules.flatMap(({ pattern }) => pattern.split(/[ |]/)),
    ];
    expect(
      words.filter((word) => word !== word.toLowerCase() || word === "" || Object.hasOwn(script.before, word)),
    ).toEqual([]);
  });

  it("repeats only what a wildcard has taken", () => {
    const wrong = rules.filter(({ pattern, replies, later = [] }) => {
      const wildcards = pattern.split(" ").filter((token) => token === "*" || token === "+").length;
      const used = [...replies, ...later].flatMap((reply) =>
        [...reply.matchAll(/\$(\d)/g)].map((match) => Number(match[1])),
      );
      return used.some((number) => number < 1 || number > wildcards);
    });
    expect(wrong).toEqual([]);
  });

  it.each([
    ["Hello!", /sandbox|key|gateway/],
    ["Which is better, gRPC or REST?", /gRPC|typed/],
    ["How does streaming work?", /stream/i],
    ["What is a token?", /token/i],
    ["Can you call tools?", /tool/],
    ["I get an error 429", /fail|error/i],
    ["What's the weather in New York today?", /New York\b.*/],
    ["I feel tired", /hour|hard|sorry/],
    ["thanks a lot", /welcome|pleasure|Gladly/],
    ["Goodbye", /Goodbye|See you/],
    ["Write a haiku, please", /\n.*\n/],
    ["Explain quicksort", /quicksort/],
    ["Explain quicksort to a child", /quicksort\b(?! to)/i],
    ["Explain to me how to boil my eggs", /how to boil your eggs/i],
    ["Explain quantum computing in one paragraph.", /quantum computing(?! in one)/i],
    ["Please repeat after me: I am a test", /echo/],
    ["I think that you hate me and my friends", /\bI hate you and your friends/],
    ["I think you are right", /\bI am right/],
    ["I love you", /\bme\b/],
    ["I love you and my dog", /\bme and your dog/],
    ["Who are you?", /sandbox/],
    ["My name is Ada", /Ada/],
    ["What is a monad?", /monad/],
    ["Say this is a test", /^This is a test\.$/],
    ["What are you made of?", /sandbox|script/],
    ["My tests are slow. I am building a parser.", /./],
    ["Bonjour", /sandbox|key|gateway/],
  ])("answers %j to the point", (text, expected) => {
    const replies = ["1", "2", "3", "4", "5", "6"].map((seed) => answer(eliza, text, { seed }));
    expect(replies.filter((reply) => !expected.test(reply))).toEqual([]);
  });
});
