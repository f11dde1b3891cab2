import type { Environment } from "../config/environment.ts";

/** Where a command writes text. */
export interface TextOutput {
  write(text: string): unknown;
}

/** What the commands know of the process that they run in. */
export interface Surroundings {
  readonly env: Environment;
  readonly cwd: string;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
}
