/** An event of a stream whose events have ids. */
export interface StreamEvent {
  readonly id: string | undefined;
  /** "": it has none. */
  readonly name: string;
  readonly data: string;
}

const FIELDS = /^(?:id: (?<id>\d+)\n)?(?:event: (?<name>[a-z]+)\n)?data: (?<data>[^\n]+)$/;

/** Reads an event stream, to the letter of what Parley writes; anything else is an Error. What is left of a cut event is dropped. */
export function createEventStream(): { push(bytes: Uint8Array): readonly StreamEvent[] } {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let buffer = "";
  return {
    push(bytes) {
      buffer += decoder.decode(bytes, { stream: true });
      const blocks = buffer.split("\n\n");
      buffer = blocks.pop() as string;
      return blocks
        .filter((block) => !block.startsWith(": "))
        .map((block) => {
          const { id, name = "", data = "" } = FIELDS.exec(block)?.groups ?? {};
          if (data === "") throw new Error(`not an event: ${JSON.stringify(block.slice(0, 200))}`);
          return { id, name, data };
        });
    },
  };
}
