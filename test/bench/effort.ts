/** How much a bench does. */
export interface Effort {
  /** Rounds that are counted. */
  readonly rounds: number;
  /** Of each load that goes on for a time, in seconds. */
  readonly seconds: number;
  /** Calls of each kind that a server has answered before they are counted, and a tenth as many streams with many chunks: V8 optimises what runs often. */
  readonly warmUpCalls: number;
  /** The first calls of a server, which are counted for themselves. */
  readonly coldCalls: number;
  /** Calls in turns, in a round. */
  readonly turns: number;
  /** Streams that are open at the same time, and those that are held and say nothing. */
  readonly openStreams: number;
  readonly heldStreams: number;
  /** Rounds of what needs processes of its own for each. */
  readonly freshRounds: number;
  /** Bodies of 20 MB that are sent one after the other. */
  readonly bodies: number;
  readonly starts: number;
  /** How long a gateway does nothing before its memory is taken, in seconds. */
  readonly idleSeconds: number;
  /** Folder for CPU profiles; undefined: none are made. */
  readonly profile?: string | undefined;
}

/** The whole bench, about ten minutes. */
export const FULL: Effort = {
  rounds: 9,
  seconds: 0.7,
  warmUpCalls: 10_000,
  coldCalls: 2_000,
  turns: 500,
  openStreams: 1_000,
  heldStreams: 10_000,
  freshRounds: 3,
  bodies: 8,
  starts: 5,
  idleSeconds: 5,
};

/** The small form, about a minute, which leaves out what takes long. */
export const SMALL: Effort = {
  ...FULL,
  rounds: 5,
  seconds: 0.3,
  warmUpCalls: 3_000,
  turns: 120,
  openStreams: 300,
  freshRounds: 1,
  bodies: 3,
  starts: 1,
  idleSeconds: 1,
};

/** A first look. */
export const QUICK: Effort = {
  ...FULL,
  rounds: 2,
  seconds: 0.25,
  warmUpCalls: 3_000,
  turns: 100,
  freshRounds: 1,
  bodies: 2,
  starts: 1,
};

/** Everything once, with figures that say nothing: for the test of the bench. */
export const LEAST: Effort = {
  ...SMALL,
  rounds: 1,
  seconds: 0.01,
  warmUpCalls: 20,
  coldCalls: 40,
  turns: 3,
  openStreams: 20,
  heldStreams: 20,
  bodies: 1,
  idleSeconds: 0,
};

/** What the parts of a call that are measured for themselves need of it. */
export type PartEffort = Pick<Effort, "seconds" | "rounds" | "profile">;
