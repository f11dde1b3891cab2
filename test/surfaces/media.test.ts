/** Images, files and audio reach each vendor in its own form, through every door, and what is fetched for it is fetched safely. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { type ChatCompletionParams, ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { decodeJson } from "../../src/openai-json/decode.ts";
import { failureOf } from "../support/collect.ts";
import { DOORS } from "../support/doors.ts";
import { threeFamilies, useVendors } from "../support/use-vendors.ts";
import type { VendorCall } from "../support/vendors.ts";
import { serveMedia } from "../upstream/media-server.ts";

const withoutFetching = useVendors({ providers: threeFamilies });
const fetching = useVendors({
  providers: threeFamilies,
  change: { mediaFetch: { enabled: true, maxBytes: 1_000 }, mediaAddresses: ["127.0.0.1"] },
});
const guarded = useVendors({ providers: threeFamilies, change: { mediaFetch: { enabled: true } } });

type Setup = typeof fetching;

const PNG = Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1");
const PNG_DATA = PNG.toString("base64");
const PDF_DATA = Buffer.from("%PDF-1.7\n").toString("base64");
const WAV_DATA = Buffer.from("RIFF\x24\0\0\0WAVEfmt ", "latin1").toString("base64");

const MODELS = {
  openai: "openai/gpt-4o",
  mistral: "mistral/pixtral-large",
  anthropic: "anthropic/claude-sonnet-4-5",
  google: "google/gemini-3-flash-preview",
} as const;

const image = (url: string): JsonObject => ({ type: "image_url", image_url: { url } });
const pdf: JsonObject = {
  type: "file",
  file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${PDF_DATA}` },
};
const wav: JsonObject = { type: "input_audio", input_audio: { data: WAV_DATA, format: "wav" } };

const paramsOf = (model: string, ...parts: readonly JsonObject[]): ChatCompletionParams =>
  decodeJson(ChatCompletionParamsSchema, {
    model,
    messages: [{ role: "user", content: [{ type: "text", text: "What is it?" }, ...parts] }],
  });

/** The parts after the text, as the vendor got them. */
function partsOf({ api, body }: VendorCall): JsonValue[] {
  const [turn] = body[api === "google" ? "contents" : "messages"] as JsonObject[];
  return (turn?.[api === "google" ? "parts" : "content"] as JsonValue[]).slice(1);
}

/** What the vendor got of a call on each door. */
async function sentOnAllDoors({ vendors, door }: Setup, params: ChatCompletionParams): Promise<JsonValue[][]> {
  const before = vendors().calls().length;
  for (const name of DOORS) await door(name).complete(params);
  return vendors().calls().slice(before).map(partsOf);
}

/** What a call fails with on each door, before the vendor is called. */
async function refusedOnAllDoors(
  { vendors, door }: Setup,
  params: ChatCompletionParams,
  expected: object,
): Promise<void> {
  const before = vendors().calls().length;
  for (const name of DOORS) {
    expect(await failureOf(door(name).complete(params))).toMatchObject({
      ...expected,
      status: name === "rest" ? 400 : Code.InvalidArgument,
    });
  }
  expect(vendors().calls().length).toBe(before);
}

const onEachDoor = (part: JsonValue): JsonValue[][] => DOORS.map(() => [part]);
const PLACE = "messages[0].content[1]";

describe("media as data", () => {
  const url = `data:image/png;base64,${PNG_DATA}`;

  it.each<[string, JsonObject, JsonValue]>([
    [MODELS.openai, image(url), image(url)],
    [MODELS.mistral, image(url), image(url)],
    [
      MODELS.anthropic,
      image(url),
      { type: "image", source: { type: "base64", media_type: "image/png", data: PNG_DATA } },
    ],
    [MODELS.google, image(url), { inlineData: { mimeType: "image/png", data: PNG_DATA } }],
    [MODELS.openai, pdf, pdf],
    [
      MODELS.anthropic,
      pdf,
      {
        type: "document",
        source: { type: "base64", media_type: "application/pdf", data: PDF_DATA },
        title: "a.pdf",
      },
    ],
    [MODELS.google, pdf, { inlineData: { mimeType: "application/pdf", data: PDF_DATA } }],
    ["openai/gpt-audio", wav, wav],
    [MODELS.google, wav, { inlineData: { mimeType: "audio/wav", data: WAV_DATA } }],
  ])("go to %s in its own form: %j", async (model, part, expected) => {
    expect(await sentOnAllDoors(withoutFetching, paramsOf(model, part))).toEqual(onEachDoor(expected));
  });

  it.each<[string, JsonObject, string, string]>([
    [MODELS.anthropic, image("data:image/png;base64,iVBOR*"), `${PLACE}.image_url.url`, "invalid_image_url"],
    [MODELS.google, image("data:image/png;base64,iVBOR*"), `${PLACE}.image_url.url`, "invalid_image_url"],
    [MODELS.anthropic, wav, `${PLACE}.input_audio`, "unsupported_parameter"],
    [MODELS.mistral, pdf, `${PLACE}`, "unsupported_parameter"],
  ])("are refused by %s where they are unsound or not taken: %j", async (model, part, param, code) => {
    await refusedOnAllDoors(withoutFetching, paramsOf(model, part), { param, code });
  });
});

describe("media by address", () => {
  it.each<[string, JsonValue]>([
    [MODELS.openai, image("https://media.invalid/cat.png")],
    [MODELS.mistral, image("https://media.invalid/cat.png")],
    [MODELS.anthropic, { type: "image", source: { type: "url", url: "https://media.invalid/cat.png" } }],
  ])("are %s's to fetch", async (model, expected) => {
    for (const setup of [withoutFetching, fetching])
      expect(await sentOnAllDoors(setup, paramsOf(model, image("https://media.invalid/cat.png")))).toEqual(
        onEachDoor(expected),
      );
  });

  it("are refused for Google where nothing is fetched", async () => {
    await refusedOnAllDoors(withoutFetching, paramsOf(MODELS.google, image("https://media.invalid/cat.png")), {
      param: `${PLACE}.image_url.url`,
      code: "invalid_image_url",
    });
  });

  it("are fetched for Google, each time, and put into the request", async () => {
    const server = await serveMedia((_path, response) => response.end(PNG));
    const sent = await sentOnAllDoors(fetching, paramsOf(MODELS.google, image(`${server.url}/cat`)));
    expect(sent).toEqual(onEachDoor({ inlineData: { mimeType: "image/png", data: PNG_DATA } }));
    expect(server.paths).toEqual(DOORS.map(() => "/cat"));
    expect(JSON.stringify(server.headers())).not.toMatch(/key-that|authorization|cookie/i);
  });

  it("are refused where they are too large, or not there", async () => {
    const server = await serveMedia((path, response) =>
      path === "/large" ? response.end(Buffer.alloc(1_001, PNG)) : response.writeHead(404).end("no"),
    );
    const param = `${PLACE}.image_url.url`;
    const code = "invalid_image_url";
    await refusedOnAllDoors(fetching, paramsOf(MODELS.google, image(`${server.url}/large`)), {
      message: `${param}: what is at this address is larger than 1000 bytes`,
      param,
      code,
    });
    await refusedOnAllDoors(fetching, paramsOf(MODELS.google, image(`${server.url}/gone`)), {
      message: `${param}: this address can't be fetched`,
      param,
      code,
    });
  });

  it("are not fetched from private addresses, which look like any that cannot be reached", async () => {
    const server = await serveMedia((_path, response) => response.end(PNG));
    const param = `${PLACE}.image_url.url`;
    for (const url of [
      server.url,
      "https://10.0.0.1/cat.png",
      "https://169.254.169.254/latest/meta-data",
      "https://[::1]/",
    ]) {
      await refusedOnAllDoors(guarded, paramsOf(MODELS.google, image(url)), {
        message: `${param}: this address can't be fetched`,
        param,
        code: "invalid_image_url",
      });
    }
    expect(server.connections()).toBe(0);
  });
});
