/** An error as it stands in the log. */
export interface ErrorFields {
  /** Name of its class: "TypeError". */
  readonly type: string;
  /** Its message, cut at 500 characters; empty for a SyntaxError. */
  readonly message: string;
  /** Node's code ("ECONNRESET"), where it has one. */
  readonly code?: string;
  /** Where it was made: the frames only. */
  readonly stack: string;
  /** What led to it. */
  readonly cause?: ErrorFields;
}

const MAX_MESSAGE = 500;
const MAX_CAUSES = 5;

/**
 * Reads the fields for the log off anything thrown, with its causes (five at most). Further properties of an error stay out, as
 * they may hold requests or answers.
 */
export function errorFields(thrown: unknown, causes = MAX_CAUSES): ErrorFields {
  // Whoever throws a value that is no error may have put a text of the call in it.
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: "not an Error", stack: "" };
  const code: unknown = "code" in thrown ? thrown.code : undefined;
  return {
    type: thrown.name,
    // V8's messages of JSON.parse quote the text that they are about.
    message: thrown instanceof SyntaxError ? "" : thrown.message.slice(0, MAX_MESSAGE),
    ...(typeof code === "string" ? { code } : {}),
    stack: frames(thrown),
    ...(thrown.cause === undefined || causes === 0 ? {} : { cause: errorFields(thrown.cause, causes - 1) }),
  };
}

/** The lines of a stack below its message, which may have several lines itself. */
function frames({ stack = "" }: Error): string {
  return stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .join("\n");
}
