import type { ConfigProblem } from "./config-error.ts";

/** Takes down a problem of the file that is being read. */
export type Report = (path: string, message: string, position?: ConfigProblem["position"]) => void;

/** Takes down what is wrong with a variable of the environment. */
export type ReportVariable = (variable: string, message: string) => void;

/** A text that one place (the command line, the environment, the file) may give for a setting. */
export interface Candidate {
  /** Undefined: the place does not have it. */
  readonly text: string | undefined;
  /** Takes down what is wrong with the text. */
  refuse(message: string): void;
}
