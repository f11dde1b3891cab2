/** A call that ends while the gateway fetches its media: their sockets are closed, and the provider never hears of it. */
import { afterEach, describe, expect, it } from "vitest";
import { clientGone } from "../../src/errors/client-gone.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { createMediaFetcher } from "../../src/upstream/media-fetcher.ts";
import { collect, failureOf } from "../support/collect.ts";
import { startUpstream } from "../support/upstream.ts";
import { serveMedia } from "./media-server.ts";
import { openTinyBackend, paramsOf, planOf } from "./support/tiny-backend.ts";

const PNG = Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1");

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const it of opened.splice(0).reverse()) await it.close();
});

describe("a call that ends while its media are fetched", () => {
  it.each<[string, boolean, Parameters<typeof serveMedia>[0]]>([
    ["a whole call, before the head", false, () => undefined],
    ["a whole call, within the body", false, (_path, response) => response.write(PNG)],
    ["a stream, before the head", true, () => undefined],
    ["a stream, within the body", true, (_path, response) => response.write(PNG)],
  ])("closes their sockets at once: %s", async (_what, streaming, handler) => {
    const upstream = await startUpstream(() => ({ status: "none", ending: "hold" }));
    const media = createMediaFetcher({
      enabled: true,
      maxBytes: 1_000,
      timeoutMs: 30_000,
      allowAddresses: ["127.0.0.1"],
    });
    const backend = openTinyBackend(upstream.url, { media });
    opened.push(upstream, backend);
    let asked = (): void => undefined;
    const server = await serveMedia((path, response) => {
      handler(path, response);
      asked();
    });
    const params = paramsOf([
      { kind: { case: "imageUrl", value: { url: `${server.url}/a.png` } } },
      { kind: { case: "imageUrl", value: { url: `${server.url}/b.png` } } },
    ]);
    const times: number[] = [];
    for (let call = 1; call <= 5; call++) {
      const both = new Promise<void>((resolve) => {
        asked = () => void (server.paths.length === 2 * call && resolve());
      });
      const controller = new AbortController();
      const plan = planOf(backend, streaming, params);
      const ended = failureOf(streaming ? collect(plan.stream(controller.signal)) : plan.complete(controller.signal));
      await both;
      const leftAt = performance.now();
      controller.abort(clientGone());
      expect(await ended).toMatchObject({ reason: Reason.CANCELLED });
      await server.closed(2 * call);
      times.push(performance.now() - leftAt);
    }
    // The best of five, as the machine may be busy with something else.
    expect(Math.min(...times)).toBeLessThan(50);
    expect(upstream.requests).toEqual([]);
  });
});
