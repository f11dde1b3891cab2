/** Hostile JSON over the wire: each gets a 4xx that says where, and the gateway goes on. */
import net from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

/** Sends bytes by hand, as no client would let one, and reads the status and the error. */
function send(body: Buffer): Promise<{ status: number; message: string; param: string | null }> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    socket.on("error", reject).on("data", (chunk) => chunks.push(chunk));
    socket.on("end", () => {
      const [head = "", text = ""] = Buffer.concat(chunks).toString().split("\r\n\r\n");
      resolve({ status: Number(head.split(" ")[1]), ...JSON.parse(text).error });
    });
    const head = [
      "POST /v1/chat/completions HTTP/1.1",
      "Host: localhost",
      "Content-Type: application/json",
      "Connection: close",
    ];
    socket.write(`${head.join("\r\n")}\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
  });
}

const MESSAGES = '"messages":[{"role":"user","content":"Hi"}]';
const within = (members: string): Buffer => Buffer.from(`{"model":"auto",${MESSAGES},${members}}`);
const saying = (content: string): Buffer =>
  Buffer.from(`{"model":"auto","messages":[{"role":"user","content":${content}}]}`);
const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));

describe("hostile JSON", () => {
  it.each<[what: string, body: Buffer, param: string, message: RegExp]>([
    ["100,000 arrays", within(`"x":${"[".repeat(100_000)}${"]".repeat(100_000)}`), `x${"[0]".repeat(63)}`, /64 levels/],
    ["100,000 objects", within(`"x":${'{"a":'.repeat(100_000)}`), `x${".a".repeat(63)}`, /64 levels/],
    [
      "100,000 levels of a schema",
      within(`"tools":[{"function":{"parameters":${"[".repeat(100_000)}`),
      `tools[0].function.parameters${"[0]".repeat(60)}`,
      /64 levels/,
    ],
    ["__proto__", within('"__proto__":{"stream":true}'), "__proto__", /not allowed/],
    [
      "__proto__, escaped, deep within",
      within('"metadata":{"\\u005f_proto__":"x"}'),
      "metadata.__proto__",
      /not allowed/,
    ],
    ["a key twice", within('"model":"x"'), "model", /twice/],
    [
      "a key twice, deep within",
      within('"stream_options":{"include_usage":true,"include_usage":true}'),
      "stream_options.include_usage",
      /twice/,
    ],
    ["1e400", within('"temperature":1e400'), "temperature", /up to 1\.79/],
    ["-1e400 under a key that nobody knows", within('"x":[{"y":-1e400}]'), "x[0].y", /up to 1\.79/],
    ["half a surrogate pair", saying('"\\ud83d"'), "messages[0].content", /surrogate/],
    ["half a surrogate pair in a key", within('"metadata":{"\\ude00":"x"}'), 'metadata["\\ude00"]', /surrogate/],
    ["an integer beyond 2^53", within('"seed":9007199254740993'), "seed", /2\^53-1/],
    ["an integer beyond 32 bits", within('"max_tokens":4294967297'), "max_tokens", /2147483647/],
    ["a number in a string", within('"temperature":"1"'), "temperature", /must be a number, not a string/],
    ["NaN in a string", within('"temperature":"NaN"'), "temperature", /must be a number, not a string/],
    ["half an integer", within('"n":1.5'), "n", /must be an integer, not 1\.5/],
    ["an array for a message", Buffer.from('{"model":"auto","messages":[[]]}'), "messages[0]", /must be an object/],
    ["an object for text", saying("{}"), "messages[0].content", /must be a string or an array/],
    ["a number for a part", saying("[1]"), "messages[0].content[0]", /must be an object/],
  ])("is refused by its path: %s", async (_, body, param, message) => {
    expect(await send(body)).toMatchObject({ status: 400, param, message: expect.stringMatching(message) });
  });

  it.each<[what: string, body: Buffer, message: RegExp]>([
    ["NaN", within('"temperature":NaN'), /line 1, column 75$/],
    ["-Infinity", within('"temperature":-Infinity'), /line 1, column 75$/],
    ["a plus sign", within('"temperature":+1'), /line 1, column 75$/],
    ["a leading zero", within('"n":01'), /line 1, column 66$/],
    ["text behind the end", bytes(saying('"Hi"').toString(), " {}"), /more text follows at line 1, column 62$/],
    ["a control character", saying('"\u0000"'), /control character .* line 1, column 55$/],
    ["bytes that are no UTF-8", bytes('{"model":"', [0xff], '"}'), /not valid UTF-8/],
    ["half a pair in UTF-8", bytes('{"model":"', [0xed, 0xa0, 0xbd], '"}'), /not valid UTF-8/],
    ["a second byte order mark", bytes([0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf], "{}"), /line 1, column 1$/],
    ["UTF-16", Buffer.from("{}", "utf16le"), /line 1, column 2$/],
    ["nothing but space", bytes(" \n"), /it is empty/],
  ])("is refused by its line and column, or as a whole: %s", async (_, body, message) => {
    expect(await send(body)).toMatchObject({ status: 400, param: null, message: expect.stringMatching(message) });
  });
});
