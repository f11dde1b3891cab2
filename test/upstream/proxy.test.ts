import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import tls from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ProxySettings } from "../../src/config/settings.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { errorFields } from "../../src/telemetry/error-fields.ts";
import { createUpstreamClient } from "../../src/upstream/undici-client.ts";
import { failureOf } from "../support/collect.ts";
import { json, startUpstream, type Upstream, type UpstreamOptions } from "../support/upstream.ts";
import { endpointAt, KEY } from "./support/tiny-provider.ts";

const fixture = (name: string): string =>
  readFileSync(new URL(`../server/fixtures/localhost-${name}.pem`, import.meta.url), "utf8");
const TLS = { key: fixture("key"), cert: fixture("cert") };

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const it of opened.splice(0).reverse()) await it.close();
});

async function start(name: string, status = 200, options?: UpstreamOptions): Promise<Upstream> {
  const upstream = await startUpstream(() => json({ name }, status), options);
  opened.push(upstream);
  return upstream;
}

/** Calls an address by way of these proxies. */
async function call(url: string, proxies: Partial<ProxySettings>): Promise<string> {
  const client = createUpstreamClient({ userAgent: "parley/test", proxies });
  opened.push(client);
  const provider = { id: "tiny", endpoint: endpointAt(url) };
  const answer = await client.request(
    provider,
    { method: "POST", path: "/chat", body: "{}" },
    new AbortController().signal,
  );
  return answer.text(1_000);
}

/** Passes what comes over a tunnel on to its target. */
const tunnelTo =
  (seen: unknown[]): NonNullable<UpstreamOptions["tunnel"]> =>
  (socket, target, headers) => {
    seen.push([target, headers["proxy-authorization"], headers.authorization]);
    const [host, port] = target.split(":");
    const onward = net.connect(Number(port), host);
    onward.on("error", () => socket.destroy());
    onward.pipe(socket).pipe(onward);
  };

const PROXY_AUTHORIZATION = `Basic ${Buffer.from("me:secret-word").toString("base64")}`;

describe("the client's way through a proxy", () => {
  it("leads there for addresses with http", async () => {
    const target = await start("target");
    const proxy = await start("proxy");
    expect(await call(target.url, { http: proxy.url })).toBe('{"name":"proxy"}');
    expect(proxy.requests.map(({ method, path, headers }) => [method, path, headers.host])).toEqual([
      ["POST", `${target.url}/chat`, new URL(target.url).host],
    ]);
    expect(target.connections).toBe(0);
  });

  it("has the user and password of the proxy's address", async () => {
    const proxy = await start("proxy");
    await call("http://target.invalid", { http: proxy.url.replace("//", "//me:secret-word@") });
    expect(proxy.requests[0]?.headers["proxy-authorization"]).toBe(PROXY_AUTHORIZATION);
  });

  it.each(["127.0.0.1", "other.example, 127.0.0.1", "*"])("is not taken for hosts of NO_PROXY: %s", async (none) => {
    const target = await start("target");
    const proxy = await start("proxy");
    expect(await call(target.url, { http: proxy.url, none })).toBe('{"name":"target"}');
    expect(proxy.connections).toBe(0);
  });

  it("is not taken for addresses with http where only https has one", async () => {
    const target = await start("target");
    const proxy = await start("proxy");
    expect(await call(target.url, { https: proxy.url })).toBe('{"name":"target"}');
    expect(proxy.connections).toBe(0);
  });

  it("does not come from the environment by itself", async () => {
    const proxy = await start("proxy");
    const target = await start("target");
    process.env["http_proxy"] = proxy.url;
    try {
      expect(await call(target.url, {})).toBe('{"name":"target"}');
      expect(await call(target.url, { https: proxy.url })).toBe('{"name":"target"}');
    } finally {
      delete process.env["http_proxy"];
    }
  });

  it.each([
    ["with http, when it asks for a password", "http://target.invalid", 407],
    ["with https, when it asks for a password", "https://target.invalid", 407],
    ["with https, when it refuses", "https://target.invalid", 403],
  ])("ends there for addresses %s", async (_what, url, status) => {
    // Node's server closes the connection of a CONNECT that nobody takes; this one answers it.
    const proxy = net.createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`));
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const { port } = proxy.address() as net.AddressInfo;
    const error = await failureOf(call(url, { http: `http://me:secret-word@127.0.0.1:${port}` }));
    proxy.close();
    expect(error).toMatchObject({
      reason: Reason.UPSTREAM_UNREACHABLE,
      message: "tiny could not be reached: the proxy did not let the request through",
    });
    expect(JSON.stringify(errorFields(error))).not.toMatch(/secret-word|sk-tiny/);
  });

  it("is not found where nobody listens", async () => {
    const error = await failureOf(call("https://target.invalid", { https: "http://me:secret-word@127.0.0.1:1" }));
    expect(error).toMatchObject({ reason: Reason.UPSTREAM_UNREACHABLE });
    expect(JSON.stringify(errorFields(error))).not.toMatch(/secret-word|sk-tiny/);
  });
});

describe("the client's way over TLS", () => {
  const trusted = tls.getCACertificates("default");
  beforeAll(() => tls.setDefaultCACertificates([...trusted, TLS.cert]));
  afterAll(() => tls.setDefaultCACertificates(trusted));

  it("leads to servers that are trusted", async () => {
    const target = await start("target", 200, { tls: TLS });
    expect(await call(target.url, {})).toBe('{"name":"target"}');
  });

  it("leads through a tunnel of a proxy, which sees no header of the request", async () => {
    const seen: unknown[] = [];
    const target = await start("target", 200, { tls: TLS });
    const proxy = await start("proxy", 200, { tunnel: tunnelTo(seen) });
    expect(await call(target.url, { https: proxy.url.replace("//", "//me:secret-word@") })).toBe('{"name":"target"}');
    expect(seen).toEqual([[new URL(target.url).host, PROXY_AUTHORIZATION, undefined]]);
    expect(target.requests[0]?.headers).toMatchObject({ authorization: `Bearer ${KEY}` });
    expect(target.requests[0]?.headers["proxy-authorization"]).toBeUndefined();
  });
});
