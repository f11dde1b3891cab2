/** Reads an event stream to the letter of what Parley promises: LF, one `data:` line an event, comments; anything else is a fault. */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let buffer = "";
  for await (const bytes of body) {
    buffer += decoder.decode(bytes, { stream: true });
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const event = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      if (event.startsWith(": ")) continue;
      if (!/^data: [^\n]+$/.test(event)) throw new Error(`not an event: ${JSON.stringify(event)}`);
      yield event.slice("data: ".length);
    }
  }
  if (buffer !== "") throw new Error(`the stream ended within an event: ${JSON.stringify(buffer)}`);
}
