/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** The file that has it, as the user named it; undefined for a command line option or an environment variable. */
  readonly file?: string | undefined;
  /** Where in the file's text; only what is not well-formed YAML has it. */
  readonly position?: { readonly line: number; readonly column: number } | undefined;
  /** Path of the key ("timeouts.total"), name of the variable ("PARLEY_LISTEN") or of the option ("--listen"); empty for the whole file. */
  readonly path: string;
  /** What is wrong: the value, where it is short and no secret, and the bound. */
  readonly message: string;
}

/** Thrown when the configuration cannot be used. Its message has one line a problem. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** All that was found; never empty. */
  readonly problems: readonly ConfigProblem[];
  /** The file that was read, as the user named it; undefined when there was none. */
  readonly file: string | undefined;

  constructor(problems: readonly ConfigProblem[], file?: string) {
    super(problems.map(formatProblem).join("\n"));
    this.problems = problems;
    this.file = file;
  }
}

/** Writes a problem on one line: "parley.yaml: timeouts.total: must be …" or "parley.yaml:3:7: …". */
function formatProblem({ file, position, path, message }: ConfigProblem): string {
  const place = file === undefined || position === undefined ? file : `${file}:${position.line}:${position.column}`;
  return [place, path, message].filter((part) => part !== undefined && part !== "").join(": ");
}
