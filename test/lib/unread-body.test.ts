import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { discardBody, hasUnreadBody } from "../../src/lib/unread-body.ts";
import type { RestRequest } from "../../src/rest/exchange.ts";

/** A request whose body the test sends. */
class SendingRequest extends EventEmitter implements RestRequest {
  readonly httpVersionMajor = 1;
  readonly complete: boolean = false;
  readonly aborted: boolean = false;
  readonly headers = { "content-length": "1000000000" };
  readonly events: string[] = [];
  readonly socket = { destroy: () => this.events.push("destroyed") };
  resume(): void {
    this.events.push("resumed");
  }
  pause(): void {
    this.events.push("paused");
  }
}

describe("discardBody()", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function start() {
    const request = new SendingRequest();
    discardBody(request, () => request.events.push("done"));
    return request;
  }

  it.each(["end", "close"])("is done at the %s, and leaves nothing behind", (event) => {
    const request = start();
    request.emit("data", Buffer.alloc(10));
    request.emit(event);
    expect(request.events).toEqual(["resumed", "done"]);
    expect([request.eventNames(), vi.getTimerCount()]).toEqual([[], 0]);
  });

  it("closes the connection after 30 s", () => {
    const request = start();
    vi.advanceTimersByTime(29_999);
    expect(request.events).toEqual(["resumed"]);
    vi.advanceTimersByTime(1);
    expect(request.events).toEqual(["resumed", "done", "destroyed"]);
    expect([request.eventNames(), vi.getTimerCount()]).toEqual([[], 0]);
  });

  it("closes the connection after 64 MiB", () => {
    const request = start();
    const chunk = Buffer.alloc(1024 * 1024);
    for (let sent = 0; sent < 64; sent++) request.emit("data", chunk);
    expect(request.events).toEqual(["resumed"]);
    request.emit("data", Buffer.alloc(1));
    expect(request.events).toEqual(["resumed", "done", "destroyed"]);
    expect([request.eventNames(), vi.getTimerCount()]).toEqual([[], 0]);
  });
});

describe("hasUnreadBody()", () => {
  it.each<[what: string, request: Partial<RestRequest>, unread: boolean]>([
    ["with a length", { headers: { "content-length": "5" } }, true],
    ["of length 0", { headers: { "content-length": "0" } }, false],
    ["in chunks", { headers: { "transfer-encoding": "chunked" } }, true],
    ["without a body", { headers: {} }, false],
    ["that came whole", { headers: { "content-length": "5" }, complete: true }, false],
    ["that was broken off", { headers: { "content-length": "5" }, aborted: true }, false],
    ["of HTTP/2 that ended with its headers", { headers: {}, stream: { endAfterHeaders: true } }, false],
    ["of HTTP/2 that did not", { headers: {}, stream: { endAfterHeaders: false } }, true],
  ])("of one %s", (_, given, unread) => {
    expect(hasUnreadBody(Object.assign(new SendingRequest(), given))).toBe(unread);
  });
});
