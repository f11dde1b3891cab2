import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { composeUpstream, startGateway } from "../src/compose.ts";
import { composeCatalogue } from "../src/compose-generation.ts";
import { ConfigError } from "../src/config/config-error.ts";
import type { Settings } from "../src/config/settings.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { loadText } from "./config/load.ts";
import { until } from "./support/collect.ts";
import { json, startUpstream, type Upstream } from "./support/upstream.ts";

const QUIET = createLogger({ level: "silent" });

/** A server of OpenAI's API with one model, for two providers. */
async function openServer(): Promise<{ server: Upstream; config: string }> {
  const server = await startUpstream(({ method }) =>
    method === "GET"
      ? json({ object: "list", data: [{ id: "small", object: "model", created: 1, owned_by: "x" }] })
      : json({ id: "1", model: "small", choices: [{ index: 0, message: { content: "Hi" }, finish_reason: "stop" }] }),
  );
  onTestFinished(() => server.close());
  const provider = (id: string): string => `{ id: ${id}, openai_compatible: { base_url: "${server.url}/v1" } }`;
  return { server, config: `listen: "127.0.0.1:0"\nproviders: [${provider("a")}, ${provider("b")}]\n` };
}

/** The catalogue of a configuration, or the message of the ConfigError. */
async function compose(text: string) {
  const settings = await loadText(text);
  const upstream = await composeUpstream(settings);
  onTestFinished(() => upstream?.close());
  return composeCatalogue(settings, upstream?.prepare(settings));
}

describe("composeCatalogue()", () => {
  it("lets auto be a model of a provider", async () => {
    const { server, config } = await openServer();
    const catalogue = await compose(`${config}auto: { models: [b/any] }`);
    expect(catalogue.resolve("auto").candidates).toMatchObject([{ target: { name: "b/any", model: "any" } }]);
    expect(server.requests).toEqual([]);
  });

  it.each([
    [
      "an auto that no provider has",
      "auto: { models: [c/echo] }",
      /^parley\.yaml: auto\.models\[0\]: "c\/echo" is of the provider "c", which is not there$/,
    ],
    [
      "a provider that can't be made",
      'providers: [{ id: g, google: { models: [{ match: "(" }] } }]',
      /^parley\.yaml: providers\[0\]\.google\.models\[0\]\.match/,
    ],
  ])("rejects %s", async (_what, text, message) => {
    const failure: unknown = await compose(text).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(ConfigError);
    expect((failure as ConfigError).message).toMatch(message);
  });
});

describe("startGateway()", () => {
  it("serves providers, lists their models, and closes the way to them at its end", async () => {
    const { server, config } = await openServer();
    const gateway = await startGateway(await loadText(config), QUIET);
    onTestFinished(() => gateway.stop());
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "b/small", messages: [{ role: "user", content: "Hello" }] }),
    });
    expect(answer.headers.get("x-parley-provider")).toBe("b");
    expect(await answer.json()).toMatchObject({ model: "b/small", choices: [{ message: { content: "Hi" } }] });
    let ids: string[] = [];
    await until(async () => {
      const { data } = (await (await fetch(`${gateway.url}/v1/models`)).json()) as { data: { id: string }[] };
      ids = data.map(({ id }) => id);
      return ids.includes("b/small");
    }, "both lists");
    expect(ids).toEqual(expect.arrayContaining(["a/small", "auto", "b/small", "sandbox/echo"]));
    await Promise.all([gateway.stop(), gateway.stop()]);
    await until(() => server.openConnections === 0, "no connection to the provider");
  });

  it("closes the way to providers when it can't listen", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const { server, config } = await openServer();
    const settings: Settings = { ...(await loadText(config)), listen: { host: "127.0.0.1", port } };
    await expect(startGateway(settings, QUIET)).rejects.toThrow("EADDRINUSE");
    expect(server.openConnections).toBe(0);
  });
});
