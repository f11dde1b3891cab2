import type { Readable } from "node:stream";

/** Where whole lines go. */
export interface LineSink {
  write(lines: string): unknown;
}

/**
 * Passes on the lines of a stream, as many at once as came at once, and none before it is whole: so those of several streams can go to the
 * same place. What stands behind the last line when the stream ends is dropped: its writer was killed.
 */
export function forwardLines(stream: Readable, sink: LineSink): void {
  let begun = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    const end = text.lastIndexOf("\n") + 1;
    if (end === 0) {
      begun += text;
      return;
    }
    sink.write(begun + text.slice(0, end));
    begun = text.slice(end);
  });
}
