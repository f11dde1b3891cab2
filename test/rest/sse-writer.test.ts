import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DueList } from "../../src/lib/due-list.ts";
import { createSseWriter } from "../../src/rest/sse-writer.ts";

/** A response that writes down what it is told, and whose reader can be behind. */
/** The connection of a response: what is written to it is told behind an arrow. */
class RecordingSocket extends EventEmitter {
  writable = true;
  behind = false;
  readonly #told: string[];
  constructor(told: string[]) {
    super();
    this.#told = told;
  }
  write(text: string): boolean {
    this.#told.push(`> ${text}`);
    return !this.behind;
  }
}

class RecordingResponse extends EventEmitter {
  readonly told: string[] = [];
  readonly socket = new RecordingSocket(this.told);
  behind = false;
  chunkedEncoding = false;
  get headersSent(): boolean {
    return this.told.length > 0;
  }
  writeHead(status: number, headers: string[]): void {
    const told = (name: string): string | undefined => headers[headers.indexOf(name) + 1];
    this.told.push(`${status} ${told("content-type")} ${told("x-more")}`);
  }
  write(text: string): boolean {
    this.told.push(text);
    return !this.behind;
  }
  end(text?: string): void {
    this.told.push(text ?? "", "end");
  }
}

const HEAD = "200 text/event-stream; charset=utf-8 yes";
const COMMENT = ": keep-alive\n\n";

describe("createSseWriter()", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function start() {
    const response = new RecordingResponse();
    const controller = new AbortController();
    const writer = createSseWriter(response, {
      headers: () => ["x-more", "yes"],
      keepAliveMs: 15_000,
      signal: controller.signal,
      open: new DueList(),
    });
    return { response, writer, gone: () => controller.abort() };
  }

  it("sends nothing before the first events, and the head once", () => {
    const { response, writer } = start();
    vi.advanceTimersByTime(14_999);
    expect([writer.committed, response.told]).toEqual([false, []]);
    writer.write("a\n\n");
    writer.write("b\n\n");
    writer.end("c\n\n");
    expect([writer.committed, response.told]).toEqual([true, [HEAD, "a\n\n", "b\n\n", "c\n\n", "end"]]);
  });

  it("keeps events back for what is written next", () => {
    const { response, writer } = start();
    writer.write("a\n\n");
    writer.hold("b\n\n");
    writer.hold("c\n\n");
    writer.write("d\n\n");
    writer.hold("e\n\n");
    vi.advanceTimersByTime(15_000);
    writer.hold("f\n\n");
    expect(response.told).toEqual([HEAD, "a\n\n", "b\n\nc\n\nd\n\n", `e\n\n${COMMENT}`]);
    writer.end("g\n\n");
    expect(response.told.slice(4)).toEqual(["f\n\ng\n\n", "end"]);
  });

  it("comments on each 15 s of silence, counted from the last event or comment", () => {
    const { response, writer } = start();
    vi.advanceTimersByTime(15_000);
    expect(response.told).toEqual([HEAD, COMMENT]);
    vi.advanceTimersByTime(14_999);
    expect(response.told).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(response.told).toEqual([HEAD, COMMENT, COMMENT]);
    vi.advanceTimersByTime(10_000);
    writer.write("a\n\n");
    vi.advanceTimersByTime(14_999);
    expect(response.told).toEqual([HEAD, COMMENT, COMMENT, "a\n\n"]);
    vi.advanceTimersByTime(1);
    expect(response.told).toEqual([HEAD, COMMENT, COMMENT, "a\n\n", COMMENT]);
  });

  it("waits for a reader that is behind, and does not comment meanwhile", async () => {
    const { response, writer } = start();
    response.behind = true;
    const written = writer.write("a\n\n");
    expect(written).toBeInstanceOf(Promise);
    vi.advanceTimersByTime(60_000);
    expect(response.told).toEqual([HEAD, "a\n\n"]);
    response.behind = false;
    response.emit("drain");
    await written;
    expect(writer.write("b\n\n")).toBeUndefined();
    vi.advanceTimersByTime(15_000);
    expect(response.told).toEqual([HEAD, "a\n\n", "b\n\n", COMMENT]);
    expect(["drain", "close"].map((event) => response.listenerCount(event))).toEqual([0, 0]);
  });

  it("writes a chunk behind the first one to the connection, in one piece, and waits for that", async () => {
    const { response, writer } = start();
    response.chunkedEncoding = true;
    writer.write("a\n\n");
    writer.write("\u{1F600}\n\n");
    response.socket.behind = true;
    const written = writer.write("b\n\n");
    expect(written).toBeInstanceOf(Promise);
    response.emit("drain");
    vi.advanceTimersByTime(60_000);
    response.socket.behind = false;
    response.socket.emit("drain");
    await written;
    writer.end("c\n\n");
    const chunks = ["> 6\r\n\u{1F600}\n\n\r\n", "> 3\r\nb\n\n\r\n"];
    expect(response.told).toEqual([HEAD, "a\n\n", ...chunks, "c\n\n", "end"]);
    expect([response.socket.listenerCount("drain"), response.listenerCount("close")]).toEqual([0, 0]);
  });

  it("writes to the response where the connection takes no more", () => {
    const { response, writer } = start();
    response.chunkedEncoding = true;
    writer.write("a\n\n");
    response.socket.writable = false;
    writer.write("b\n\n");
    expect(response.told).toEqual([HEAD, "a\n\n", "b\n\n"]);
  });

  it("waits no longer when the response is closed, and writes nothing after that", async () => {
    const { response, writer, gone } = start();
    response.behind = true;
    const written = writer.write("a\n\n");
    gone();
    response.emit("close");
    await written;
    expect(writer.write("b\n\n")).toBeUndefined();
    writer.end("c\n\n");
    vi.advanceTimersByTime(60_000);
    expect(response.told).toEqual([HEAD, "a\n\n"]);
    expect(["drain", "close"].map((event) => response.listenerCount(event))).toEqual([0, 0]);
  });

  it("says nothing more, and leaves no timer behind, once it is released", () => {
    const { response, writer } = start();
    writer.write("a\n\n");
    expect(vi.getTimerCount()).toBe(1);
    writer.release();
    vi.advanceTimersByTime(60_000);
    expect(response.told).toEqual([HEAD, "a\n\n"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
