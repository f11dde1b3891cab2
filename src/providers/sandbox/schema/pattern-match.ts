import { type CharacterSet, hasCodePoint, isWordCodePoint, PatternError, type PatternNode } from "./pattern-parse.ts";

/** Says whether a text has a match, as `RegExp.prototype.test` does. */
export type PatternMatcher = (text: string) => boolean;

type Assertion = Extract<PatternNode, { kind: "assertion" }>["at"];

type Instruction =
  | { kind: "set"; set: CharacterSet }
  | { kind: "assertion"; at: Assertion }
  | { kind: "fork"; targets: number[] }
  | { kind: "accept" };

const MAX_INSTRUCTIONS = 10_000;

/**
 * Makes a matcher that follows all ways through the pattern at once (Thompson's construction): its time is at most the
 * length of the text times the size of the pattern, which a schema's author cannot turn into a hang as with a
 * backtracking engine. `spend` is told of the steps taken, and may throw to end the match. Throws PatternError when
 * repetitions make the pattern too large.
 */
export function createPatternMatcher(pattern: PatternNode, spend: (steps: number) => void): PatternMatcher {
  const program: Instruction[] = [];
  compile(pattern, program);
  emit(program, { kind: "accept" });

  return function matches(text) {
    const points = Array.from(text, (character) => character.codePointAt(0)!);
    let states = new Set<number>();
    for (let position = 0; position <= points.length; position++) {
      // A match may begin anywhere.
      states.add(0);
      const reached = follow(program, states, points, position);
      if (reached === "accepted") {
        return true;
      }
      spend(reached.size);
      states = step(program, reached, points[position]);
    }
    return false;
  };
}

/** All instructions that can be reached at this position without taking a character. */
function follow(
  program: readonly Instruction[],
  states: ReadonlySet<number>,
  points: readonly number[],
  position: number,
): Set<number> | "accepted" {
  const reached = new Set(states);
  // A Set is iterated in the order of insertion, including what is added on the way.
  for (const state of reached) {
    const instruction = program[state]!;
    if (instruction.kind === "accept") {
      return "accepted";
    }
    if (instruction.kind === "fork") {
      for (const target of instruction.targets) {
        reached.add(target);
      }
    } else if (instruction.kind === "assertion" && holds(instruction.at, points, position)) {
      reached.add(state + 1);
    }
  }
  return reached;
}

function step(program: readonly Instruction[], states: ReadonlySet<number>, point: number | undefined): Set<number> {
  const next = new Set<number>();
  for (const state of states) {
    const instruction = program[state]!;
    if (point !== undefined && instruction.kind === "set" && hasCodePoint(instruction.set, point)) {
      next.add(state + 1);
    }
  }
  return next;
}

function holds(at: Assertion, points: readonly number[], position: number): boolean {
  const boundary = isWordCodePoint(points[position - 1]) !== isWordCodePoint(points[position]);
  switch (at) {
    case "start":
      return position === 0;
    case "end":
      return position === points.length;
    case "boundary":
      return boundary;
    case "inside":
      return !boundary;
  }
}

/** Appends the instructions of a node; they are left by running off their end. */
function compile(node: PatternNode, program: Instruction[]): void {
  switch (node.kind) {
    case "set":
    case "assertion":
      emit(program, node);
      return;
    case "sequence":
      for (const item of node.items) {
        compile(item, program);
      }
      return;
    case "alternatives":
      compileAlternatives(node.items, program);
      return;
    case "repeat":
      compileRepeat(node, program);
  }
}

function compileAlternatives(items: readonly PatternNode[], program: Instruction[]): void {
  const entry = emitFork(program);
  const exits: number[][] = [];
  for (const item of items) {
    entry.push(program.length);
    compile(item, program);
    exits.push(emitFork(program));
  }
  for (const exit of exits) {
    exit.push(program.length);
  }
}

function compileRepeat({ item, min, max }: Extract<PatternNode, { kind: "repeat" }>, program: Instruction[]): void {
  for (let count = 0; count < min; count++) {
    const before = program.length;
    compile(item, program);
    if (program.length === before) {
      // An item without instructions is empty however often it is repeated.
      return;
    }
  }
  if (max === Number.POSITIVE_INFINITY) {
    const start = program.length;
    const entry = emitFork(program);
    entry.push(program.length);
    compile(item, program);
    emitFork(program).push(start);
    entry.push(program.length);
    return;
  }
  const skips: number[][] = [];
  for (let count = min; count < max; count++) {
    const skip = emitFork(program);
    skip.push(program.length);
    skips.push(skip);
    compile(item, program);
  }
  for (const skip of skips) {
    skip.push(program.length);
  }
}

function emitFork(program: Instruction[]): number[] {
  const targets: number[] = [];
  emit(program, { kind: "fork", targets });
  return targets;
}

function emit(program: Instruction[], instruction: Instruction): void {
  if (program.length >= MAX_INSTRUCTIONS) {
    throw new PatternError(`the pattern needs more than ${MAX_INSTRUCTIONS} states`);
  }
  program.push(instruction);
}
