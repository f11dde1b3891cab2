import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { unlessAborted } from "../../src/lib/unless-aborted.ts";

const never = new Promise<never>(() => undefined);

describe("unlessAborted()", () => {
  it("is what the work comes to, and listens no longer", async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(1), signal)).toBe(1);
    await expect(unlessAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("rejects with the reason when the signal is aborted, before or meanwhile", async () => {
    const controller = new AbortController();
    const waiting = unlessAborted(never, controller.signal);
    controller.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    await expect(unlessAborted(never, controller.signal)).rejects.toThrow("gone");
  });

  it("minds no failure of the work after that", async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    await expect(unlessAborted(promise, AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
    reject(new Error("late"));
    await new Promise((resolve) => setImmediate(resolve));
  });
});
