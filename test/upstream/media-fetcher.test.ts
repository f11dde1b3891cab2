import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { LookupFunction } from "node:net";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import type { MediumRef } from "../../src/providers/provider.ts";
import { createMediaFetcher, type MediaFetcherOptions } from "../../src/upstream/media-fetcher.ts";
import { serveMedia } from "./media-server.ts";

const PNG = Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1");
const PDF = Buffer.from("%PDF-1.7\n");
const PATH = "messages[0].content[1].image_url.url";

const fetcherOf = (options: Partial<MediaFetcherOptions> = {}) =>
  createMediaFetcher({
    enabled: true,
    maxBytes: 1_000,
    timeoutMs: 30_000,
    allowAddresses: ["127.0.0.1"],
    ...options,
  });
const ref = (url: string, more: Partial<MediumRef> = {}): MediumRef => ({ url, path: PATH, ...more });
const never = (): AbortSignal => new AbortController().signal;

/** What a fetch of one address fails with; undefined when it does not. */
async function refusal(url: string, options: Partial<MediaFetcherOptions> = {}): Promise<unknown> {
  return fetcherOf(options)
    .fetch([ref(url)], never())
    .then(
      () => undefined,
      (error: unknown) => error,
    );
}

const refused = (why: string) =>
  expect.objectContaining({
    reason: Reason.INVALID_VALUE,
    message: `${PATH}: ${why}`,
    details: expect.objectContaining({ param: PATH, code: "invalid_image_url" }),
  });
const UNREACHED = refused("this address can't be fetched");

const answer =
  (body: Buffer | string, headers: Record<string, string> = {}, status = 200) =>
  (_path: string, response: ServerResponse) =>
    response.writeHead(status, headers).end(body);

const redirectTo =
  (location: string, status = 302) =>
  (_path: string, response: ServerResponse) =>
    response.writeHead(status, { location }).end("moved");

describe("createMediaFetcher()", () => {
  it("fetches nothing where there is nothing to fetch", async () => {
    expect(await fetcherOf({ enabled: false }).fetch([], never())).toEqual(new Map());
  });

  it("refuses every address when it is off", async () => {
    const server = await serveMedia(answer(PNG));
    expect(await refusal(server.url, { enabled: false })).toEqual(
      refused("the model wants the data itself, and this gateway fetches none; send a data URL"),
    );
    expect(server.connections()).toBe(0);
  });

  it("fetches media under their addresses as given, one address once", async () => {
    const server = await serveMedia((path, response) => answer(path === "/a" ? PNG : PDF)(path, response));
    const refs = [ref(`${server.url}/a`), ref(`${server.url}/b`), ref(`${server.url}/a`)];
    expect(await fetcherOf().fetch(refs, never())).toEqual(
      new Map([
        [`${server.url}/a`, { mimeType: "image/png", data: PNG.toString("base64") }],
        [`${server.url}/b`, { mimeType: "application/pdf", data: PDF.toString("base64") }],
      ]),
    );
    expect(server.paths.toSorted()).toEqual(["/a", "/b"]);
  });

  it("sends no cookies, no credentials and no referrer", async () => {
    const server = await serveMedia((path, response) =>
      path === "/"
        ? response.writeHead(302, { location: "/there", "set-cookie": "a=b" }).end()
        : answer(PNG)(path, response),
    );
    await fetcherOf().fetch([ref(server.url)], never());
    expect(server.paths).toEqual(["/", "/there"]);
    expect(server.headers()).toEqual({
      accept: "*/*",
      "accept-encoding": "identity",
      "user-agent": "parley",
      host: `127.0.0.1:${server.port}`,
      connection: "close",
    });
  });

  it("has at most four on their way at once", async () => {
    const waiting: ServerResponse[] = [];
    let most = 0;
    const server = await serveMedia((_path, response) => {
      waiting.push(response);
      most = Math.max(most, waiting.length);
      // The fifth would have come by the time that a fourth has waited for a few turns of the loop.
      if (waiting.length === 4) setTimeout(() => waiting.splice(0).map((it) => it.end(PNG)), 50);
    });
    const refs = Array.from({ length: 8 }, (_, index) => ref(`${server.url}/${index}`));
    expect((await fetcherOf().fetch(refs, never())).size).toBe(8);
    expect(most).toBe(4);
  });

  it.each([
    ["the bytes", PNG, "application/octet-stream", "image/png"],
    ["the bytes, against the server", PNG, "text/html", "image/png"],
    ["the server, where the bytes do not tell", "no signature", "Audio/L16; rate=24000", "audio/l16"],
  ])("takes the type from %s", async (_name, body, type, expected) => {
    const server = await serveMedia(answer(body, { "content-type": type }));
    const media = await fetcherOf().fetch([ref(server.url)], never());
    expect(media.get(server.url)?.mimeType).toBe(expected);
  });

  it.each<[string, string, Record<string, string>]>([
    ["a page", "hello", { "content-type": "text/html" }],
    ["a page that says it is an image", "<!DOCTYPE html><p>", { "content-type": "image/png" }],
    ["JSON", "{}", { "content-type": "application/json" }],
    ["an archive that says it is an image", "PK\x03\x04", { "content-type": "image/png" }],
    ["what says nothing of itself", "hello", {}],
    ["a type that is no type", "hello", { "content-type": 'image/png"\\' }],
  ])("refuses %s", async (_name, body, headers) => {
    const server = await serveMedia(answer(body, headers));
    expect(await refusal(server.url)).toEqual(refused("what is at this address is no image, audio, video or PDF"));
  });

  it.each([
    ["http", "http://127.0.0.1/a.png", "only https addresses are fetched"],
    ["a file", "file:///etc/passwd", "only https addresses are fetched"],
    ["data", "data:image/png;base64,AAAA", "only https addresses are fetched"],
    ["what is no address", "https://", "this is no address"],
    ["a user", "https://me@127.0.0.1/", "an address with credentials is not fetched"],
    ["a password", "https://:secret@127.0.0.1/", "an address with credentials is not fetched"],
  ])("refuses %s", async (_name, url, why) => {
    expect(await refusal(url)).toEqual(refused(why));
  });

  it("never repeats the address", async () => {
    const error = await refusal("https://127.0.0.1:1/secret-path?token=secret-token");
    expect(error).toEqual(UNREACHED);
    expect(String(error)).not.toContain("secret");
  });
});

describe("sizes", () => {
  const big = Buffer.concat([PNG, Buffer.alloc(2_000)]);
  const inPieces = (_path: string, response: ServerResponse) => {
    response.write(big.subarray(0, 900));
    response.write(big.subarray(900));
    response.end();
  };
  const tooLarge = refused("what is at this address is larger than 1000 bytes");

  it("refuses by the announced length without reading", async () => {
    // The body never comes: whoever waited for it would wait for ever.
    const server = await serveMedia((_path, response) =>
      response.writeHead(200, { "content-length": "1001" }).flushHeaders(),
    );
    expect(await refusal(server.url)).toEqual(tooLarge);
    await server.closed(1);
  });

  it("refuses while it reads where no length is announced", async () => {
    // Endless, so that whoever reads to the end never comes to it.
    const server = await serveMedia(async (_path, response) => {
      while (!response.destroyed)
        if (!response.write(big)) await Promise.race([once(response, "drain"), once(response, "close")]);
    });
    expect(await refusal(server.url)).toEqual(tooLarge);
    await server.closed(1);
  });

  it("takes exactly as many bytes as allowed", async () => {
    const server = await serveMedia(inPieces);
    expect(await refusal(server.url, { maxBytes: big.length })).toBeUndefined();
    expect(await refusal(server.url, { maxBytes: big.length - 1 })).toEqual(
      refused(`what is at this address is larger than ${big.length - 1} bytes`),
    );
  });

  it.each([
    ["one reference", [900], 900],
    ["the stricter one of two", [3_000, 800], 800],
    ["its own bound, where a reference has more", [9_000], 1_000],
  ])("is held to the bound of %s", async (_name, bounds, expected) => {
    const server = await serveMedia(inPieces);
    const refs = bounds.map((maxBytes, at) => ref(server.url, { maxBytes, path: `messages[${at}]` }));
    const at = bounds.length - 1;
    await expect(fetcherOf().fetch(refs, never())).rejects.toMatchObject({
      message: `messages[${at}]: what is at this address is larger than ${expected} bytes`,
      details: { param: `messages[${at}]` },
    });
  });

  it("counts the media of a request together, and those of the next anew", async () => {
    const server = await serveMedia(answer(PNG));
    const fetcher = fetcherOf({ maxTotalBytes: 2 * PNG.length });
    const refs = ["/1", "/2", "/3"].map((path) => ref(server.url + path));
    await expect(fetcher.fetch(refs, never())).rejects.toThrow(
      `${PATH}: with this address, the media of the request are too large together`,
    );
    expect((await fetcher.fetch(refs.slice(0, 2), never())).size).toBe(2);
  });
});

describe("addresses that are not public", () => {
  it.each([
    "https://0.0.0.0/",
    "https://10.1.2.3/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://017700000001/",
    "https://0177.0.0.1./",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://172.16.0.1/",
    "https://192.0.0.192/",
    "https://192.168.0.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[::7f00:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[100:0:0:1::1]/",
    "https://[2001::1]/",
    "https://[2001:db8::1]/",
    "https://[2002:7f00:1::1]/",
    "https://[4000::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://localhost/",
  ])("refuses %s", async (url) => {
    const error = await refusal(url, { allowAddresses: [] });
    expect(error).toEqual(UNREACHED);
    // It was refused here, and did not merely fail to connect.
    expect(String((error as GatewayError).cause)).toMatch(/not (?:public|allowed)/);
  });

  it("connects to none of them", async () => {
    const server = await serveMedia(answer(PNG));
    const urls = [server.url, `https://localhost:${server.port}`, `https://[::ffff:127.0.0.1]:${server.port}`];
    for (const url of urls) expect(await refusal(url, { allowAddresses: [] })).toEqual(UNREACHED);
    expect(server.connections()).toBe(0);
  });

  /** Answers each question with the next list of addresses. */
  function resolver(...answers: string[][]) {
    const asked: string[] = [];
    const lookup: LookupFunction = (name, options, done) => {
      asked.push(name);
      const found = (answers.shift() ?? []).map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
      setImmediate(() =>
        options.all === true ? done(null, found) : done(null, found[0]?.address ?? "", found[0]?.family),
      );
    };
    return { asked, lookup };
  }

  it.each([
    ["a private address", ["10.0.0.1"]],
    ["one that is allowed and a private one", ["127.0.0.1", "192.168.0.1"]],
    ["a mapped address", ["::ffff:127.0.0.1"]],
    ["metadata", ["fd00:ec2::254"]],
    ["what nobody has given out", ["4000::1"]],
    ["Azure's host", ["168.63.129.16"]],
  ])("refuses a name that resolves to %s", async (_name, addresses) => {
    const server = await serveMedia(answer(PNG));
    const { lookup } = resolver(addresses);
    const error = await refusal(`https://localhost:${server.port}`, { lookup });
    expect(error).toEqual(UNREACHED);
    expect(String((error as GatewayError).cause)).toMatch(/not (?:public|allowed)/);
    expect(server.connections()).toBe(0);
  });

  it("connects to the address that it checked, whatever the name would say next", async () => {
    const server = await serveMedia(answer(PNG));
    const { asked, lookup } = resolver(["127.0.0.1"], ["127.0.0.2"]);
    expect(await refusal(`https://localhost:${server.port}`, { lookup })).toBeUndefined();
    expect(asked).toEqual(["localhost"]);
    expect(server.connections()).toBe(1);
  });

  it("checks the name again on the next hop", async () => {
    const server = await serveMedia((path, response) => redirectTo(`${path}again`)(path, response));
    const { asked, lookup } = resolver(["127.0.0.1"], ["127.0.0.2"]);
    expect(await refusal(`https://localhost:${server.port}/`, { lookup })).toEqual(UNREACHED);
    expect(asked).toEqual(["localhost", "localhost"]);
    expect(server.paths).toEqual(["/"]);
  });
});

describe("redirects", () => {
  it.each([301, 302, 303, 307, 308])("follows %i", async (status) => {
    const server = await serveMedia((path, response) =>
      path === "/" ? redirectTo("/there", status)(path, response) : answer(PNG)(path, response),
    );
    expect(await refusal(server.url)).toBeUndefined();
    expect(server.paths).toEqual(["/", "/there"]);
  });

  it("follows three, and no fourth", async () => {
    const server = await serveMedia((path, response) =>
      path === "/0" ? answer(PNG)(path, response) : redirectTo(`/${Number(path.slice(1)) - 1}`)(path, response),
    );
    expect(await refusal(`${server.url}/3`)).toBeUndefined();
    expect(await refusal(`${server.url}/4`)).toEqual(refused("this address redirects more than 3 times"));
  });

  it("refuses one to an address that is not public, without a connection", async () => {
    const inner = await serveMedia(answer(PNG), "127.0.0.2");
    const server = await serveMedia(redirectTo(inner.url));
    expect(await refusal(server.url)).toEqual(UNREACHED);
    expect(inner.connections()).toBe(0);
  });

  it.each([
    ["http", "http://127.0.0.1/", "this address redirects to one that is not https"],
    ["a file", "file:///etc/passwd", "this address redirects to one that is not https"],
    ["credentials", "https://me:secret@127.0.0.1/", "an address with credentials is not fetched"],
    ["metadata", "https://169.254.169.254/", "this address can't be fetched"],
    ["a name of loopback", "https://localhost.:1/", "this address can't be fetched"],
  ])("refuses one to %s", async (_name, location, why) => {
    const server = await serveMedia(redirectTo(location));
    expect(await refusal(server.url)).toEqual(refused(why));
    await server.closed(1);
  });
});

describe("faults", () => {
  it.each<[string, Parameters<typeof serveMedia>[0]]>([
    ["404", answer("no", {}, 404)],
    ["500", answer("no", {}, 500)],
    ["204", answer("", {}, 204)],
    ["206", answer(PNG, {}, 206)],
    ["a redirect to nowhere", answer("no", {}, 302)],
    ["an empty body", answer("")],
    ["an encoded body", answer(PNG, { "content-encoding": "gzip" })],
    [
      "a body that is cut",
      (_path, response) => response.writeHead(200, { "content-length": "99" }).write(PNG, () => response.destroy()),
    ],
    ["a reset", (_path, response) => response.destroy()],
  ])("says the same of %s", async (_name, handler) => {
    const server = await serveMedia(handler);
    expect(await refusal(server.url)).toEqual(UNREACHED);
  });

  it("says the same of a certificate for somebody else, and of a port where nobody listens", async () => {
    const server = await serveMedia(answer(PNG), "127.0.0.2");
    expect(await refusal(server.url, { allowAddresses: ["127.0.0.2"] })).toEqual(UNREACHED);
    expect(await refusal("https://127.0.0.1:1/")).toEqual(UNREACHED);
  });

  it.each<[string, Parameters<typeof serveMedia>[0]]>([
    ["a head that does not come", () => undefined],
    ["a body that stops", (_path, response) => response.write(PNG)],
    [
      "a body that drips",
      (_path, response) => {
        const drip = setInterval(() => response.write("."), 5);
        response.on("close", () => clearInterval(drip));
      },
    ],
    [
      "redirects that take their time",
      (path, response) => {
        setTimeout(() => redirectTo(`${path}x`)(path, response), 60);
      },
    ],
  ])("gives %s no more than its time, and closes the socket", async (_name, handler) => {
    const server = await serveMedia(handler);
    expect(await refusal(`${server.url}/`, { timeoutMs: 100 })).toEqual(UNREACHED);
    await server.closed(server.connections());
  });

  it.each<[string, Parameters<typeof serveMedia>[0]]>([
    ["before the head", () => undefined],
    ["within the body", (_path, response) => response.write(PNG)],
  ])("ends with the signal's reason %s, and closes the sockets", async (_name, handler) => {
    const controller = new AbortController();
    const gone = new GatewayError(Reason.CANCELLED, "gone");
    let asked = 0;
    const server = await serveMedia((path, response) => {
      handler(path, response);
      if (++asked === 2) controller.abort(gone);
    });
    const refs = [ref(`${server.url}/1`), ref(`${server.url}/2`)];
    await expect(fetcherOf().fetch(refs, controller.signal)).rejects.toBe(gone);
    await server.closed(2);
  });

  it("does not begin when the signal is aborted already", async () => {
    const server = await serveMedia(answer(PNG));
    const gone = new Error("gone");
    await expect(fetcherOf().fetch([ref(server.url)], AbortSignal.abort(gone))).rejects.toBe(gone);
    expect(server.connections()).toBe(0);
  });

  it("ends the others when one fails", async () => {
    const server = await serveMedia((path, response) => {
      if (path === "/slow") response.write(PNG);
      else setTimeout(() => answer("no", {}, 404)(path, response), 20);
    });
    const refs = [ref(`${server.url}/slow`), ref(`${server.url}/bad`, { path: "messages[1]" })];
    await expect(fetcherOf().fetch(refs, never())).rejects.toThrow("messages[1]: this address can't be fetched");
    await server.closed(2);
  });
});
