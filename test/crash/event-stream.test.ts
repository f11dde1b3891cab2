import { describe, expect, it } from "vitest";
import { createEventStream, type StreamEvent } from "./event-stream.ts";

const TEXT = 'id: 1\ndata: {"a":"ä"}\n\n: keep-alive\n\nid: 2\nevent: run\ndata: {}\n\ndata: [DONE]\n\n';
const EVENTS: readonly StreamEvent[] = [
  { id: "1", name: "", data: '{"a":"ä"}' },
  { id: "2", name: "run", data: "{}" },
  { id: undefined, name: "", data: "[DONE]" },
];

describe("createEventStream()", () => {
  it("reads events, wherever the stream is cut into pieces", () => {
    const bytes = new TextEncoder().encode(TEXT);
    for (let at = 0; at <= bytes.length; at++) {
      const stream = createEventStream();
      expect([...stream.push(bytes.subarray(0, at)), ...stream.push(bytes.subarray(at))]).toEqual(EVENTS);
    }
  });

  it("refuses what is no event", () => {
    for (const text of [
      "data:{}\n\n",
      "id: x\ndata: {}\n\n",
      "id: 1\n\n",
      "data: {}\ndata: {}\n\n",
      "data: {}\nid: 1\n\n",
    ]) {
      expect(() => createEventStream().push(new TextEncoder().encode(text))).toThrow("not an event");
    }
  });
});
