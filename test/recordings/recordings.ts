/**
 * Recordings: what providers answered, byte for byte, and what that means. The tests here play them through everything that reads
 * them. README.md says what a directory of recordings is.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Whose form a recording has; "compatible" is OpenAI's, as others speak it. */
export type Family = "openai" | "anthropic" | "google" | "compatible";

/** An answer of a provider as it was on the wire. */
export interface Recording {
  /** Unique within its family. */
  readonly name: string;
  readonly provider: Family;
  /** HTTP status. */
  readonly status: number;
  /** Whether a stream was asked for. The answer may be plain JSON all the same. */
  readonly streaming: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Lengths of the pieces in which the body came; undefined where nobody noted them. */
  readonly pieces: readonly number[] | undefined;
}

interface IndexEntry extends Pick<Recording, "name" | "provider" | "status" | "streaming"> {
  readonly response: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tcp_chunk_lengths?: readonly number[] | null;
}

/** The project's own recordings. */
const OWN = join(import.meta.dirname, "own");

/** A recording as one line of a test's title. */
export const titleOf = ({ provider, name }: Recording): string => `${provider}/${name}`;

/** The project's own recordings, and those of the directory that PARLEY_RECORDINGS names; the names of these begin with "given-". */
export function loadRecordings(): readonly Recording[] {
  const { PARLEY_RECORDINGS: given } = process.env;
  return [...loadDirectory(OWN, ""), ...(given ? loadDirectory(resolve(given), "given-") : [])];
}

function loadDirectory(directory: string, prefix: string): Recording[] {
  const index = JSON.parse(readFileSync(join(directory, "index.json"), "utf8")) as { entries: IndexEntry[] };
  return index.entries.map(({ name, provider, status, streaming, response, headers, tcp_chunk_lengths: lengths }) => {
    const body = loadBody(join(directory, response), provider);
    const isWhole = lengths?.reduce((sum, length) => sum + length, 0) === body.length;
    return {
      name: `${prefix}${name}`,
      provider,
      status,
      streaming,
      headers: headers ?? {},
      body,
      pieces: isWhole && lengths ? lengths : undefined,
    };
  });
}

/** The body as it stood on the wire: of lines of data, the frame of an event stream is put around each. */
function loadBody(file: string, provider: Family): Buffer {
  const raw = readFileSync(file);
  if (!file.endsWith(".jsonl")) return raw;
  const lines = raw
    .toString("utf8")
    .split("\n")
    .filter((line) => line.trim() !== "");
  if (provider === "openai" || provider === "compatible") lines.push("[DONE]");
  return Buffer.from(lines.map((line) => `data: ${line}\n\n`).join(""));
}
