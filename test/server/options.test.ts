import { describe, expect, it } from "vitest";
import { completeServerOptions, SERVER_DEFAULTS } from "../../src/server/options.ts";
import { startServer } from "../../src/server/server.ts";
import { echo, serve } from "./harness.ts";

const required = { host: "127.0.0.1", port: 0, handler: echo };

describe("completeServerOptions()", () => {
  it("fills in what was left out and keeps what was given", () => {
    const given = { ...required, maxConnections: 3 };
    expect(completeServerOptions(given)).toEqual({ ...SERVER_DEFAULTS, ...given });
    expect(given).toEqual({ ...required, maxConnections: 3 });
  });

  it.each([
    [{ port: 65_536 }, "port: 65536 must be an integer from 0 to 65535"],
    [{ port: -1 }, "port: -1 must be an integer from 0 to 65535"],
    [{ headersTimeoutMs: 0 }, "headersTimeoutMs: 0 must be"],
    [{ headersTimeoutMs: 1.5 }, "headersTimeoutMs: 1.5 must be an integer"],
    [{ requestTimeoutMs: Number.POSITIVE_INFINITY }, "requestTimeoutMs: Infinity must be an integer"],
    [{ keepAliveTimeoutMs: 2 ** 31 }, "keepAliveTimeoutMs: 2147483648 must be"],
    [{ readerTimeoutMs: 0 }, "readerTimeoutMs: 0 must be"],
    [{ maxConnections: 0 }, "maxConnections: 0 must be"],
    [{ maxHeaderBytes: 1_023 }, "maxHeaderBytes: 1023 must be an integer from 1024"],
    [{ maxConcurrentStreams: Number.NaN }, "maxConcurrentStreams: NaN must be"],
    [{ requestTimeoutMs: 9_999 }, "headersTimeoutMs: 10000 must be <= requestTimeoutMs, 9999"],
  ])("rejects %j", (wrong, why) => {
    expect(() => completeServerOptions({ ...required, ...wrong })).toThrow(RangeError);
    expect(() => completeServerOptions({ ...required, ...wrong })).toThrow(why);
  });
});

describe("startServer()", () => {
  it("says which address it took", async () => {
    const { address } = await serve(echo);
    expect(address.host).toBe("127.0.0.1");
    expect(address.port).toBeGreaterThan(0);
    expect(address.url).toBe(`http://127.0.0.1:${address.port}`);
  });

  it("rejects when the address is taken", async () => {
    const { address } = await serve(echo);
    await expect(startServer({ ...required, port: address.port })).rejects.toMatchObject({
      code: "EADDRINUSE",
      port: address.port,
    });
  });

  it("rejects TLS files that are not PEM, without showing them", async () => {
    const started = startServer({ ...required, tls: { key: "SECRET", cert: "SECRET" } });
    await expect(started).rejects.toThrow("the TLS key and certificate cannot be used");
    await expect(started).rejects.not.toThrow("SECRET");
  });
});
