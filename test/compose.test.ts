import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { composeCatalogue, startGateway, type Upstream } from "../src/compose.ts";
import { ConfigError } from "../src/config/config-error.ts";
import type { Settings } from "../src/config/settings.ts";
import { GatewayError } from "../src/errors/gateway-error.ts";
import { Reason } from "../src/gen/parley/errors/v1/errors_pb.ts";
import { createSandbox } from "../src/providers/sandbox/provider.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { createScriptedBackend } from "../src/upstream/scripted-backend.ts";
import { loadText } from "./config/load.ts";
import { createFamilies } from "./support/families.ts";

/** A way to providers behind which the sandbox answers for each of them. */
function createUpstream(families = createFamilies()): Upstream & { readonly closed: () => number } {
  let closed = 0;
  const sandbox = createScriptedBackend(createSandbox({ tokenDelayMs: 0 }));
  return {
    families,
    connect: ({ id }) => ({ ...sandbox, id }),
    close: async () => {
      closed += 1;
    },
    closed: () => closed,
  };
}

const PROVIDERS = 'listen: "127.0.0.1:0"\nproviders: [{ id: a, google: {} }, { id: b, anthropic: {} }]\n';
const QUIET = createLogger({ level: "silent" });

describe("composeCatalogue()", () => {
  it("has the models of the sandbox and of every provider", async () => {
    const catalogue = composeCatalogue(await loadText(PROVIDERS), createUpstream());
    const owners = new Set(catalogue.list().map(({ id }) => id.split("/")[0]));
    expect([...owners].sort()).toEqual(["a", "auto", "b", "sandbox"]);
  });

  it("lets auto be a model of a provider", async () => {
    const catalogue = composeCatalogue(await loadText(`${PROVIDERS}auto_model: b/echo`), createUpstream());
    expect(catalogue.resolve("auto")).toMatchObject({ name: "b/echo", model: "echo" });
  });

  it("rejects an auto that no provider has, and a provider that can't be made", async () => {
    const settings = await loadText(`${PROVIDERS}auto_model: c/echo`);
    const problemOf = (work: () => unknown): unknown => {
      try {
        return work();
      } catch (error) {
        return error instanceof ConfigError ? error.message : error;
      }
    };
    const families = createFamilies((kind) => {
      if (kind === "google") throw new GatewayError(Reason.INVALID_VALUE, "base_url is none", { param: "base_url" });
    });
    expect(problemOf(() => composeCatalogue(settings, createUpstream()))).toBe(
      `${settings.file}: auto_model: The model 'c/echo' does not exist`,
    );
    expect(problemOf(() => composeCatalogue(settings, createUpstream(families)))).toBe(
      "parley.yaml: providers[0].google.base_url: is none",
    );
  });
});

describe("startGateway()", () => {
  const ask = async (url: string, model: string): Promise<unknown> => {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] }),
    });
    return { provider: response.headers.get("x-parley-provider"), ...((await response.json()) as object) };
  };

  it("serves providers, and closes the way to them at its end", async () => {
    const upstream = createUpstream();
    const gateway = await startGateway(await loadText(PROVIDERS), QUIET, upstream);
    onTestFinished(() => gateway.stop());
    expect(await ask(gateway.url, "b/echo")).toMatchObject({ provider: "b", model: "b/echo" });
    expect(upstream.closed()).toBe(0);
    await Promise.all([gateway.stop(), gateway.stop()]);
    expect(upstream.closed()).toBe(1);
  });

  it("closes the way to providers when it can't listen", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const settings: Settings = { ...(await loadText(PROVIDERS)), listen: { host: "127.0.0.1", port } };
    const upstream = createUpstream();
    await expect(startGateway(settings, QUIET, upstream)).rejects.toThrow("EADDRINUSE");
    expect(upstream.closed()).toBe(1);
  });
});
