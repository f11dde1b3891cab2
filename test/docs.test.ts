/** The documents say what is so: their tables and examples are compared with the code. */
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  create,
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type JsonObject,
  ScalarType,
} from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import packageJson from "../package.json" with { type: "json" };
import { admitChat } from "../src/admission/admit.ts";
import { runProgram } from "../src/cli/program.ts";
import { ConfigError } from "../src/config/config-error.ts";
import { decodeConfig } from "../src/config/decode-config.ts";
import type { Environment } from "../src/config/environment.ts";
import { formatSettings } from "../src/config/format-settings.ts";
import { loadConfig } from "../src/config/load-config.ts";
import { CATALOGUE } from "../src/errors/catalogue.ts";
import { StreamChatCompletionRequestSchema } from "../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Role } from "../src/gen/parley/chat/v1/message_pb.ts";
import { type ChatCompletionParams, ChatCompletionParamsSchema } from "../src/gen/parley/chat/v1/params_pb.ts";
import { Adjustment_Action } from "../src/gen/parley/chat/v1/report_pb.ts";
import { AnthropicModelRuleSchema } from "../src/gen/parley/config/v1/anthropic_pb.ts";
import { ConfigSchema, PolicySchema, ProviderSchema, RoutingSchema } from "../src/gen/parley/config/v1/config_pb.ts";
import { GoogleModelRuleSchema } from "../src/gen/parley/config/v1/google_pb.ts";
import {
  OpenAICompatibleSchema,
  OpenAIModelRuleSchema,
  OpenAIQuirksSchema,
} from "../src/gen/parley/config/v1/openai_compatible_pb.ts";
import { Reason } from "../src/gen/parley/errors/v1/errors_pb.ts";
import { BudgetSchema, KeyLimitsSchema } from "../src/gen/parley/keys/v1/limits_pb.ts";
import { stream_of } from "../src/gen/parley/options/v1/options_pb.ts";
import { ScopeSchema } from "../src/gen/parley/scopes/v1/scopes_pb.ts";
import { decodeJson } from "../src/openai-json/decode.ts";
import { enumWords } from "../src/openai-json/words.ts";
import { autoOf } from "../src/providers/default-model.ts";
import { readQuirks } from "../src/providers/openai-compatible/quirks.ts";
import { VENDORS } from "../src/providers/openai-compatible/vendors.ts";
import { readKnobs } from "../src/providers/sandbox/knobs.ts";
import { SANDBOX_MODELS } from "../src/providers/sandbox/models.ts";
import { createSandbox } from "../src/providers/sandbox/provider.ts";
import { dialectOf } from "../src/rest/dialect.ts";
import { readHttpBindings } from "../src/rest/http-binding.ts";
import { SERVICES } from "../src/rpc/handler.ts";
import { LOG_LEVELS } from "../src/telemetry/log-level.ts";
import { createFolder } from "./config/folder.ts";
import { collect } from "./support/collect.ts";
import { DoorError } from "./support/door-error.ts";
import { type DoorClient, openDoor, type Params } from "./support/doors.ts";
import { startTestGateway, type TestGateway } from "./support/gateway.ts";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");

const readText = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const readPage = (page: string): string => readText(join("docs", page));
const api = readPage("api.md");
const sandbox = readPage("sandbox.md");
const configuration = readPage("configuration.md");

/** What stands under a heading, up to the next one. */
function sectionOf(page: string, heading: string): string {
  const lines = page.split("\n");
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading);
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const length = lines.slice(start + 1).findIndex((line) => /^#+ /.test(line));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n");
}

/** The rows of a table under a heading, cell by cell, without the table's head. */
function tableOf(page: string, heading: string, index = 0): string[][] {
  const tables = sectionOf(page, heading).match(/(?:^\|.*\n?)+/gm) ?? [];
  const table = tables[index];
  if (table === undefined) throw new Error(`there is no table ${index} under "${heading}"`);
  const rows = table.trim().split("\n").slice(2);
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const plain = (cell: string | undefined): string => (cell ?? "").replaceAll("`", "");
/** What stands in backticks. */
const codesOf = (text: string | undefined): string[] =>
  [...(text ?? "").matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();
/** The block of code of that language under a heading. */
function blockOf(page: string, heading: string, language: string): string {
  const block = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(sectionOf(page, heading))?.[1];
  if (block === undefined) throw new Error(`there is no block of ${language} under "${heading}"`);
  return block;
}

/** The bounds that a cell states: "0 to 2", "above 0s to 60s", "above 0 to below 1", "at least 1". Values that lie on them, and just outside. */
function boundsOf(cell: string): { readonly inside: number[]; readonly outside: number[]; readonly unit: string } {
  const match =
    /^(?<above>above )?(?:at least )?(?<least>-?\d+)(?<unit>s?)(?: to (?<below>below )?(?<most>-?\d+)s?)?/.exec(
      cell,
    )?.groups;
  if (match === undefined) throw new Error(`no bounds: "${cell}"`);
  const least = Number(match["least"]);
  const most = match["most"] === undefined ? [] : [Number(match["most"])];
  const isOpen = match["above"] !== undefined;
  const isOpenAbove = match["below"] !== undefined;
  return {
    inside: [isOpen ? least + 0.001 : least, ...most.map((value) => (isOpenAbove ? value - 0.001 : value))],
    outside: [isOpen ? least : least - 1, ...most.map((value) => (isOpenAbove ? value : value + 1))],
    unit: match["unit"] ?? "",
  };
}

const USER = { role: "user", content: "Hello" };
const admit = async (json: JsonObject): Promise<ChatCompletionParams> => {
  const params = decodeJson(ChatCompletionParamsSchema, { model: "auto", messages: [USER], ...json });
  return admitChat(StreamChatCompletionRequestSchema, create(StreamChatCompletionRequestSchema, { params }), true);
};
const isTaken = async (work: () => unknown): Promise<boolean> => {
  try {
    await work();
    return true;
  } catch {
    // Whatever the reason is: other tests look at it.
    return false;
  }
};

/** The values of bounds that are not taken, or are taken, against what the bounds say. */
async function wrongOf(
  { inside, outside }: Pick<ReturnType<typeof boundsOf>, "inside" | "outside">,
  takes: (value: number) => Promise<boolean>,
): Promise<number[]> {
  const wrong: number[] = [];
  for (const value of inside) if (!(await takes(value))) wrong.push(value);
  for (const value of outside) if (await takes(value)) wrong.push(value);
  return wrong;
}

let gateway: TestGateway;
let door: DoorClient;
beforeAll(async () => {
  gateway = await startTestGateway();
  door = openDoor("rest", gateway.url);
});
afterAll(async () => {
  door.close();
  await gateway.stop();
});

const post = (path: string, body: JsonObject): Promise<Response> =>
  fetch(`${gateway.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

describe("docs/api.md", () => {
  const methods = SERVICES.flatMap((service) => service.methods);

  it("lists every rpc", () => {
    const listed = tableOf(api, "Services").map(([service, rpc]) => `${plain(service)}.${plain(rpc)}`);
    expect(sorted(listed)).toEqual(sorted(methods.map((method) => `${method.parent.typeName}.${method.name}`)));
  });

  it("lists every route, with the stream that shares it", () => {
    const streams = methods.filter((method) => hasOption(method, stream_of));
    const routes = readHttpBindings(SERVICES).map(({ httpMethod, path, method }) => {
      const shared = streams.filter((stream) => getOption(stream, stream_of).method === method.name);
      return [httpMethod, path.source, ...[method, ...shared].map(({ name }) => name)].join(" ");
    });
    const listed = tableOf(api, "REST routes").map(([verb, path, rpcs]) =>
      [plain(verb), plain(path), ...codesOf(rpcs)].join(" "),
    );
    expect(sorted(listed)).toEqual(sorted(routes));
  });

  it("tells the mounts apart", () => {
    const chat = readHttpBindings(SERVICES).filter(({ method }) => method.name === "CreateChatCompletion");
    const dialects = chat.map(({ path }) => dialectOf(path.source));
    const listed = tableOf(api, "REST routes", 1).map(([mount, stream, usage, user]) => ({
      mount: plain(mount).replace(/\/$/, ""),
      streamsByDefault: stream?.startsWith("`true`"),
      usageByDefault: usage === "yes",
      wantsUserMessage: user === "required",
    }));
    expect(sorted(listed.map((row) => JSON.stringify(row)))).toEqual(
      sorted(dialects.map((row) => JSON.stringify(row))),
    );
  });

  const sources = [
    ...readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).map((file) => `src/${file}`),
    ...readdirSync(join(ROOT, "proto/parley"), { recursive: true, encoding: "utf8" }).map(
      (file) => `proto/parley/${file}`,
    ),
  ].filter((file) => /\.(ts|proto)$/.test(file) && !file.startsWith("src/gen/"));
  const code = sources.map(readText).join("\n").toLowerCase();

  it("names the headers of the gateway's own that the code has", () => {
    const headersIn = (text: string): string[] => sorted(text.match(/x-parley(?:-[a-z]+)+/g) ?? []);
    expect(headersIn(api)).toEqual(headersIn(code));
  });

  it("names no header that the code does not have", () => {
    const listed = [0, 1].flatMap((index) => tableOf(api, "Headers", index).map(([header]) => plain(header)));
    expect(listed.length).toBeGreaterThan(8);
    expect(listed.filter((header) => !code.includes(`"${header}"`))).toEqual([]);
  });

  it("has every row of the error catalogue", () => {
    const upper = (word: string): string => word.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
    const rows = Object.entries(CATALOGUE).map(([reason, row]) => [
      Reason[Number(reason)],
      // gRPC and Connect spell this one in two ways.
      upper(Code[row.connectCode]).replace("CANCELED", "CANCELLED"),
      String(row.httpStatus),
      row.type,
      String(row.code),
      row.retryable ? "yes" : "no",
    ]);
    expect(tableOf(api, "Errors", 1).map((row) => row.map(plain))).toEqual(rows);
  });

  it("states the bounds of numbers that requests are held to", async () => {
    const rows = tableOf(api, "What a request must satisfy").filter(([, rule]) =>
      /^-?\d|^at least \d/.test(rule ?? ""),
    );
    const wrong: string[] = [];
    for (const [name, rule] of rows) {
      const takes = (value: number) => isTaken(() => admit({ logprobs: true, [plain(name)]: value }));
      wrong.push(...(await wrongOf(boundsOf(rule ?? ""), takes)).map((value) => `${name} ${value}`));
    }
    expect(rows.length).toBeGreaterThan(7);
    expect(wrong).toEqual([]);
  });

  it("lists the parts that messages of each role may have", async () => {
    const parts: Readonly<Record<string, JsonObject>> = {
      text: { text: "a" },
      image_url: { image_url: { url: "https://example.com/a.png" } },
      input_audio: { input_audio: { data: "AA==", format: "wav" } },
      video_url: { video_url: { url: "https://example.com/a.mp4" } },
      file: { file: { file_id: "file-1" } },
      refusal: { refusal: "no" },
    };
    const call = { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } };
    const allows = (role: string, part: JsonObject): Promise<boolean> => {
      const message = { role, content: [part], name: "f", tool_call_id: "call_1" };
      return isTaken(() => admit({ messages: [{ role: "assistant", tool_calls: [call] }, message] }));
    };
    const roles = Object.keys(Role).filter((name) => /^[A-Z]+$/.test(name) && name !== "UNSPECIFIED");
    const allowed: string[][] = [];
    for (const role of roles.map((name) => name.toLowerCase())) {
      const kinds: string[] = [];
      for (const [kind, part] of Object.entries(parts)) if (await allows(role, part)) kinds.push(kind);
      allowed.push([role, kinds.join(", ")]);
    }
    const listed = tableOf(api, "What a request must satisfy", 1).map(([role, kinds]) => [plain(role), kinds]);
    expect(listed).toEqual(allowed);
  });

  it("shows the error that is answered", async () => {
    const answer = await post("/v1/chat/completions", { model: "auto", messages: [USER], temperature: 3 });
    expect(await answer.json()).toEqual(JSON.parse(blockOf(api, "Errors", "json")));
  });

  it("shows the explanation that is answered", async () => {
    const heading = "Parameters that a model cannot take";
    const body = /-d '(.*)'/.exec(blockOf(api, heading, "sh"))?.[1] ?? "";
    const answer = await post("/v1/chat/completions/explain", JSON.parse(body) as JsonObject);
    expect(await answer.json()).toEqual(JSON.parse(blockOf(api, heading, "json")));
  });
});

describe("docs/sandbox.md", () => {
  const faults = tableOf(sandbox, "Faults");

  it("lists every model", () => {
    const listed = [...tableOf(sandbox, "Models"), ...faults].map(([model]) => plain(model));
    expect(sorted(listed)).toEqual(sorted(SANDBOX_MODELS.map(({ id }) => `sandbox/${id}`)));
  });

  /** "answers", or the reason of a failure. */
  async function outcomeOf(call: Promise<unknown>): Promise<string | undefined> {
    const thrown = await call.then(
      () => undefined,
      (error: unknown) => error,
    );
    if (thrown === undefined) return "answers";
    if (!(thrown instanceof DoorError)) throw thrown;
    const [reason] = Object.entries(CATALOGUE).find(([, row]) => row.code === thrown.code) ?? [];
    return Reason[Number(reason)];
  }

  it.each(faults)("says what becomes of a call to %s", async (model, whole, stream) => {
    const content = [{ kind: { case: "text" as const, value: "Hello" } }];
    const params: Params = {
      model: plain(model),
      messages: [{ role: Role.USER, content }],
      extra: { sandbox: { start_delay_ms: 0 } },
    };
    const settings = { timeoutMs: plain(whole) === "DEADLINE_EXCEEDED" ? 300 : 15_000 };
    const outcomes = [
      await outcomeOf(door.complete(params, settings)),
      await outcomeOf(collect(door.stream(params, settings))),
    ];
    expect(outcomes).toEqual([plain(whole), plain(stream)]);
  });

  const knob = (name: string, value: number) => () =>
    readKnobs(create(ChatCompletionParamsSchema, { extra: { sandbox: { [name]: value } } }));

  it("lists every knob, with its bounds", async () => {
    const rows = tableOf(sandbox, "Knobs").map(([name, bounds]) => ({
      name: plain(name).replace("sandbox.", ""),
      bounds,
    }));
    expect(knob("unheard_of", 0)).toThrow(`known are ${rows.map(({ name }) => name).join(", ")}`);
    const wrong: string[] = [];
    for (const { name, bounds } of rows) {
      const takes = (value: number) => isTaken(knob(name, value));
      wrong.push(...(await wrongOf(boundsOf(bounds ?? ""), takes)).map((value) => `${name} ${value}`));
    }
    expect(wrong).toEqual([]);
  });

  const FUNCTION = { name: "f", parameters: { type: "object" } };
  /** A value of each parameter that the sandbox might not take, and the parameters that it needs beside it. */
  const EXAMPLES: Readonly<Record<string, JsonObject>> = {
    model: {},
    messages: {},
    stream: { stream: true },
    stream_options: { stream_options: { include_usage: true } },
    async: { async: true },
    temperature: { temperature: 1.5 },
    top_p: { top_p: 0.5 },
    top_k: { top_k: 4 },
    frequency_penalty: { frequency_penalty: 1 },
    presence_penalty: { presence_penalty: 1 },
    logit_bias: { logit_bias: { 50256: -100 } },
    max_completion_tokens: { max_completion_tokens: 5000 },
    max_tokens: { max_tokens: 5000 },
    stop: { stop: "a" },
    n: { n: 2 },
    seed: { seed: 7 },
    logprobs: { logprobs: true },
    top_logprobs: { top_logprobs: 2, logprobs: true },
    tools: { tools: [{ type: "function", function: FUNCTION }] },
    tool_choice: { tool_choice: "required", tools: [{ type: "function", function: FUNCTION }] },
    parallel_tool_calls: { parallel_tool_calls: false, tools: [{ type: "function", function: FUNCTION }] },
    functions: { functions: [FUNCTION] },
    function_call: { function_call: "auto", functions: [FUNCTION] },
    response_format: { response_format: { type: "json_object" } },
    reasoning_effort: { reasoning_effort: "high" },
    verbosity: { verbosity: "low" },
    modalities: { modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } },
    audio: { audio: { voice: "alloy", format: "wav" } },
    prediction: { prediction: { type: "content", content: "a" } },
    web_search_options: { web_search_options: {} },
    service_tier: { service_tier: "flex" },
    store: { store: true },
    metadata: { metadata: { a: "b" } },
    moderation: { moderation: { model: "m" } },
    safety_identifier: { safety_identifier: "a" },
    user: { user: "a" },
    prompt_cache_key: { prompt_cache_key: "a" },
    prompt_cache_options: { prompt_cache_options: { mode: "implicit" } },
    prompt_cache_retention: { prompt_cache_retention: "24h" },
  };

  /** What the gateway and the sandbox do with the example of a parameter. */
  async function treatmentOf(name: string): Promise<string> {
    const plan = async () => createSandbox({ tokenDelayMs: 0 }).plan("eliza", await admit(EXAMPLES[name] ?? {}));
    if (!(await isTaken(plan))) return "refused";
    const found = (await plan()).adjustments.find(({ path }) => path === name);
    return found === undefined ? "honoured" : Adjustment_Action[found.action].toLowerCase();
  }

  it("says of every parameter what is done with it", async () => {
    const names = ChatCompletionParamsSchema.fields.map(({ name }) => name).filter((name) => name !== "extra");
    expect(sorted(Object.keys(EXAMPLES))).toEqual(sorted(names));
    const listed = tableOf(sandbox, "Parameters").flatMap(([parameters, treatment]) =>
      codesOf(parameters).map((name) => `${name} ${/^\w+/.exec(treatment ?? "")?.[0]}`),
    );
    const done = await Promise.all(names.map(async (name) => `${name} ${await treatmentOf(name)}`));
    expect([...listed].sort()).toEqual(done.sort());
  });

  it("shows a call that fails with the time to wait", async () => {
    const body = /-d '(.*)'/.exec(blockOf(sandbox, "Faults", "sh"))?.[1] ?? "";
    const answer = await post("/v1/chat/completions", JSON.parse(body) as JsonObject);
    expect([answer.status, answer.headers.get("retry-after-ms")]).toEqual([429, "2500"]);
  });

  it("shows a call that is answered", async () => {
    const example = JSON.parse(blockOf(sandbox, "Knobs", "json")) as JsonObject;
    const quick = { ...example, sandbox: { start_delay_ms: 0, token_delay_ms: 0 } };
    expect(Object.keys(example["sandbox"] as JsonObject).sort()).toEqual(Object.keys(quick.sandbox).sort());
    const answer = await post("/v1/chat/completions", quick);
    expect(await answer.text()).toMatch(/\[DONE\]\n\n$/);
  });
});

describe("docs/configuration.md", () => {
  const rows = tableOf(configuration, "The file").map((cells) => cells.map(plain));

  interface Key {
    readonly path: string;
    readonly type: string;
  }

  /** The sections that have tables of their own, without the sections within them. */
  const FAMILIES = ProviderSchema.oneofs.flatMap(({ fields }) => fields);

  function* keysOf(message: DescMessage, above = ""): Generator<Key> {
    for (const field of message.fields) {
      const path = `${above}${field.name}${field.fieldKind === "list" && field.message !== undefined ? "[]" : ""}`;
      const isSection = field.message !== undefined && /sections?$/.test(typeOf(field));
      const hasOwnTable = FAMILIES.includes(field) || field.message === KeyLimitsSchema;
      if (isSection && !hasOwnTable) yield* keysOf(field.message as DescMessage, `${path}.`);
      else yield { path, type: typeOf(field) };
    }
  }

  const SCALARS: { readonly [type in ScalarType]?: string } = {
    [ScalarType.STRING]: "text",
    [ScalarType.BOOL]: "boolean",
    [ScalarType.DOUBLE]: "number",
    [ScalarType.INT32]: "integer",
    [ScalarType.INT64]: "integer",
  };
  const WELL_KNOWN: Readonly<Record<string, string>> = {
    "google.protobuf.Duration": "duration",
    "google.protobuf.Struct": "map",
  };

  const typeOf = ({ fieldKind, message, enum: words, scalar }: DescField): string => {
    const one =
      message !== undefined
        ? (WELL_KNOWN[message.typeName] ?? "section")
        : words !== undefined
          ? "word"
          : (SCALARS[scalar as ScalarType] ?? "unknown");
    if (fieldKind === "list") return `list of ${one}s`;
    return fieldKind === "map" ? `map of ${one}s` : one;
  };

  it("lists every key, with its type", () => {
    const keys = [...keysOf(ConfigSchema)].map(({ path, type }) => `${path}: ${type}`);
    expect(rows.map(([path, type]) => `${path}: ${type}`)).toEqual(keys);
  });

  it.each(
    FAMILIES.map((field) => [field.name, field.message as DescMessage] as const),
  )("lists every key of %s, with its type", (name, message) => {
    const listed = tableOf(configuration, name).map(([key, type]) => `${plain(key)}: ${type}`);
    expect(listed).toEqual(message.fields.map((field) => `${field.name}: ${typeOf(field)}`));
  });

  /** The tables below those of the families: heading, its table, and the section that it is of. */
  const PARTICULARS = [
    ["Quirks", 0, OpenAIQuirksSchema],
    ["Rules for models", 0, OpenAIModelRuleSchema],
    ["Rules for models", 1, AnthropicModelRuleSchema],
    ["Rules for models", 2, GoogleModelRuleSchema],
    ["Limits of keys", 0, KeyLimitsSchema],
    ["Limits of keys", 1, BudgetSchema],
  ] as const;

  it.each(
    PARTICULARS,
  )("lists under %s, in table %i, every key, with its type and its words", (heading, at, message) => {
    const wordsOf = ({ enum: words }: DescField): string[] =>
      words === undefined ? [] : words.values.slice(1).map(({ localName }) => localName.toLowerCase());
    const listed = tableOf(configuration, heading, at).map((row) => ({ key: plain(row[0]), type: row[1], row }));
    expect(listed.map(({ key, type }) => `${key}: ${type}`)).toEqual(
      message.fields.map((field) => `${field.name}: ${typeOf(field)}`),
    );
    const unsaid = message.fields.flatMap((field, index) => {
      const said = codesOf(listed[index]?.row.at(-1));
      return wordsOf(field).filter((word) => !said.includes(word));
    });
    expect(unsaid).toEqual([]);
  });

  it("states what holds for a server whose vendor is not known", () => {
    const { quirks } = readQuirks(create(OpenAICompatibleSchema, { baseUrl: "http://127.0.0.1:1/v1" }));
    const defaults = OpenAIQuirksSchema.fields.map((field) => {
      const value: unknown = quirks[field.localName as keyof typeof quirks];
      const word = field.enum?.value[Number(value)]?.localName.toLowerCase();
      return `${field.name}: ${(word ?? String(value)) || "none"}`;
    });
    expect(tableOf(configuration, "Quirks").map(([key, , value]) => `${plain(key)}: ${plain(value)}`)).toEqual(
      defaults,
    );
  });

  it("shows quirks that are valid", async () => {
    const cwd = createFolder({ "parley.yaml": blockOf(configuration, "Quirks", "yaml") });
    const { providers } = await loadConfig({ env: {}, cwd });
    expect(providers.map(({ id }) => id)).toEqual(["lab"]);
  });

  it("states the defaults", async () => {
    // One of each list, with as little in it as there can be.
    const given = {
      providers: [{ id: "a", google: {} }],
      models: [{ id: "b", targets: ["a/c"] }],
      auth: {
        keys: [{ id: "d", sha256: "0".repeat(64) }],
        jwt: { issuer: "e", audience: "f", jwks_url: "https://g.example" },
      },
    };
    const cwd = createFolder({ "parley.yaml": JSON.stringify(given) });
    const formatted = formatSettings(await loadConfig({ env: {}, cwd }));
    const inForce = parseYaml(formatted.replaceAll(`${cwd}/`, "")) as unknown;
    const valueAt = (path: string, file: unknown): unknown =>
      path
        .replaceAll("[]", ".0")
        .split(".")
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], file);
    const defaultOf = (path: string): unknown =>
      valueAt(path, given) === undefined ? valueAt(path, inForce) : undefined;
    expect(rows.map(([path, , value]) => `${path}: ${value}`)).toEqual(
      rows.map(([path = ""]) => `${path}: ${defaultOf(path) ?? "none"}`),
    );
  });

  it("states the bounds of numbers and durations", async () => {
    const takes = async (path: string, value: number, unit: string): Promise<boolean> => {
      const problems: string[] = [];
      const json = path
        .split(".")
        .reduceRight<JsonObject[string]>(
          (inner, key) => (key.endsWith("[]") ? { [key.slice(0, -2)]: [inner] } : { [key]: inner }),
          unit ? `${value}s` : value,
        );
      await decodeConfig(json, (where) => problems.push(where));
      // An item of a list lacks what it needs besides.
      return !problems.includes(path.replaceAll("[]", "[0]"));
    };
    const bounded = rows.filter(([, type = ""]) => ["integer", "number", "duration"].includes(type));
    const wrong: string[] = [];
    for (const [path = "", , , text = ""] of bounded) {
      const bounds = boundsOf(text);
      const values = await wrongOf(bounds, (value) => takes(path, value, bounds.unit));
      wrong.push(...values.map((value) => `${path} ${value}`));
    }
    expect(bounded.length).toBeGreaterThan(20);
    expect(wrong).toEqual([]);
  });

  it("names every level of the log", () => {
    const row = tableOf(configuration, "The file").find(([key]) => plain(key) === "log.level");
    expect(sorted(codesOf(row?.at(-1)))).toEqual(sorted(LOG_LEVELS));
  });

  it("names every policy", () => {
    const words = [...enumWords(PolicySchema).numberOf.keys()];
    const said = tableOf(configuration, "The file").filter(([key = ""]) => plain(key).endsWith(".policy"));
    expect(said.length).toBe(2);
    for (const row of said) expect(codesOf(row.at(-1))).toEqual(expect.arrayContaining(words));
  });

  it("says which model auto has of which provider", async () => {
    const env = { OPENAI_API_KEY: "k", ANTHROPIC_API_KEY: "k", GEMINI_API_KEY: "k" };
    const { models } = autoOf(await loadConfig({ env, cwd: createFolder() }));
    expect(tableOf(configuration, "Names for models, and auto").map(([, model]) => plain(model))).toEqual(
      models.map((name) => name.slice(name.indexOf("/") + 1)),
    );
  });

  it("shows names for models that are valid", async () => {
    const cwd = createFolder({ "parley.yaml": blockOf(configuration, "Names for models, and auto", "yaml") });
    const env = { OPENAI_API_KEY: "k1", AZURE_OPENAI_API_KEY: "k2", AZURE_OPENAI_SECOND_KEY: "k3" };
    const { models, auto } = await loadConfig({ env, cwd });
    expect(models.map(({ id }) => id)).toEqual(auto.models);
  });

  it("shows routing that is valid, and everything that can be said", async () => {
    const yaml = blockOf(configuration, "Routing", "yaml");
    const settings = await loadConfig({ env: {}, cwd: createFolder({ "parley.yaml": yaml }) });
    const { routing } = parseYaml(yaml) as { routing: JsonObject };
    expect(parseYaml(formatSettings(settings))).toMatchObject({ routing });
    expect(Object.keys(routing)).toEqual(RoutingSchema.fields.map(({ name }) => name));
  });

  it("shows a file that is valid", async () => {
    const cwd = createFolder({ "parley.yaml": blockOf(configuration, "The file", "yaml") });
    const { providers } = await loadConfig({ env: { ANTHROPIC_API_KEY: "k" }, cwd });
    expect(providers.map(({ id }) => id)).toEqual(["claude", "local", "anthropic"]);
  });

  it.each(["Keys", "Tokens", "State"])("shows a file that is valid under %s", async (heading) => {
    const cwd = createFolder({ "parley.yaml": blockOf(configuration, heading, "yaml") });
    const env = {
      DATABASE_URL: "postgres://localhost/parley",
      REDIS_URL: "redis://localhost",
      WEBHOOK_SECRET: `whsec_${"A".repeat(32)}`,
    };
    await expect(loadConfig({ env, cwd })).resolves.toBeDefined();
  });

  it("names every scope", () => {
    expect(tableOf(configuration, "Scopes").map(([scope]) => plain(scope))).toEqual([
      ...enumWords(ScopeSchema).numberOf.keys(),
    ]);
  });

  it("shows problems as check-config prints them", async () => {
    const cwd = createFolder({ "parley.yaml": "limits: { max_conections: 3 }\ntimeouts: { total: 3m }" });
    const thrown: unknown = await loadConfig({ env: {}, cwd }).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ConfigError);
    expect(`${(thrown as ConfigError).message}\n`).toBe(blockOf(configuration, "check-config", "text"));
  });

  async function helpOf(...argv: string[]): Promise<string> {
    let text = "";
    const output = { write: (piece: string) => (text += piece) };
    await runProgram([...argv, "--help"], { env: {}, cwd: ROOT, stdout: output, stderr: output });
    return text;
  }

  it("lists the commands, options and environment variables of the command line", async () => {
    const help = await helpOf();
    const commands = [...(/Commands:\n([\s\S]*?)\n\n/.exec(help)?.[1] ?? "").matchAll(/^ {2}(\w\S*)/gm)].map(
      ([, name]) => name!,
    );
    const options = (await helpOf("serve")).match(/--[a-z-]+/g) ?? [];
    const columnOf = (index: number): string[] =>
      tableOf(configuration, "The command line", index).map(([cell]) => plain(cell).replace(/^parley (\S+).*/, "$1"));
    expect(sorted(columnOf(0))).toEqual(sorted(commands.filter((name) => name !== "help")));
    expect(sorted(columnOf(1))).toEqual(sorted(options.filter((name) => name !== "--help")));
  });

  it("lists every variable that is read of the environment, and so does the help", async () => {
    const read = new Set<string>();
    const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const env: Environment = new Proxy(
      {},
      {
        get(_none, name) {
          read.add(String(name));
          // Without it, those that say how signals are sent are not read.
          return name === endpoint ? "http://127.0.0.1:4318" : undefined;
        },
      },
    );
    await loadConfig({ env, cwd: createFolder() });
    // Those of proxies are read in lower case, too.
    const all = sorted([...read].map((name) => name.toUpperCase()));
    const ofSignals = all.filter((name) => name.startsWith("OTEL_"));
    const told = new Set(
      tableOf(readPage("observability.md"), "Sending to a collector").flatMap(([name]) => codesOf(name)),
    );
    expect(ofSignals.filter((name) => !told.has(name))).toEqual([]);
    const names = all.filter((name) => name === endpoint || !ofSignals.includes(name));
    const shown = (await helpOf()).split("Environment:")[1] ?? "";
    expect(names.length).toBeGreaterThan(8);
    expect(sorted(tableOf(configuration, "The environment").map(([name]) => plain(name)))).toEqual(names);
    expect(sorted(shown.match(/^ {2}[A-Z].*?(?= {2}|$)/gm)?.flatMap((line) => line.trim().split(", ")) ?? [])).toEqual(
      names,
    );
  });
});

describe("docs/providers.md", () => {
  const providers = readPage("providers.md");
  const recipes = providers
    .split(/^### /m)
    .slice(1)
    .flatMap((section) => {
      const [heading = ""] = section.split("\n", 1);
      return [...section.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => ({ heading, yaml: yaml! }));
    });

  it("has a recipe for each vendor", () => {
    expect([...new Set(recipes.map(({ heading }) => heading))]).toEqual([
      "OpenAI",
      "Anthropic",
      "Google Gemini",
      "Azure OpenAI",
      "Groq",
      "Mistral",
      "DeepSeek",
      "OpenRouter",
      "xAI",
      "Together",
      "Cerebras",
      "Perplexity",
      "vLLM",
      "Ollama",
      "llama.cpp",
    ]);
    expect(providers.match(/```yaml/g)?.length).toBe(recipes.length);
  });

  it.each(recipes)("shows a file for $heading that is valid, with its key from the environment", async ({ yaml }) => {
    const names = [...yaml.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!);
    const env = Object.fromEntries(names.map((name) => [name, "s3cr3t"]));
    const settings = await loadConfig({ env, cwd: createFolder({ "parley.yaml": yaml }) });
    const [provider] = settings.providers;
    expect(provider?.place.path).toMatch(/^providers\[0\]\.\w+$/);
    expect(provider?.config.apiKey).toBe(names.length === 0 ? undefined : "s3cr3t");
    // Nothing is in a recipe that a file with all of its own settings does not have.
    expect(parseYaml(formatSettings(settings))).toMatchObject(
      parseYaml(yaml.replaceAll(/\$\{\w+\}/g, "[redacted]")) as object,
    );
  });

  it("lists every vendor, with hosts that tell it", () => {
    const listed = tableOf(providers, "Vendors").map(([word, hosts]) => ({ word: plain(word), hosts: codesOf(hosts) }));
    expect(listed.map(({ word }) => word)).toEqual(VENDORS.map(({ word }) => word));
    expect(listed.filter(({ hosts }) => hosts.length > 0).map(({ word }) => word)).toEqual(
      VENDORS.filter(({ host }) => host !== undefined).map(({ word }) => word),
    );
    const told = listed.flatMap(({ word, hosts }) =>
      hosts.map((host) => {
        const config = create(OpenAICompatibleSchema, { baseUrl: `https://${host}/v1` });
        return [host, word, readQuirks(config).quirks.vendor];
      }),
    );
    expect(told.filter(([, word, found]) => word !== found)).toEqual([]);
  });

  it("names the vendor in a recipe whose host does not tell it", () => {
    const vendors = recipes.flatMap(({ yaml }) => {
      const file = parseYaml(yaml) as { providers: { openai_compatible?: { base_url: string; vendor?: string } }[] };
      const { base_url: baseUrl, vendor } = file.providers[0]?.openai_compatible ?? {};
      return baseUrl === undefined ? [] : [create(OpenAICompatibleSchema, { baseUrl, ...(vendor ? { vendor } : {}) })];
    });
    const words = vendors.map((config) => readQuirks(config).quirks.vendor);
    expect(words.length).toBeGreaterThan(12);
    expect(words).not.toContain("generic");
  });

  it("names reasons that there are", () => {
    const named = tableOf(providers, "Errors of providers").flatMap(([, reasons]) => codesOf(reasons));
    expect(named.length).toBeGreaterThan(12);
    expect(named.filter((reason) => !(reason in Reason))).toEqual([]);
  });

  it("names the variables that switch providers on", async () => {
    const rows = tableOf(providers, "Switching providers on").map((row) => row.map(plain));
    const found = await Promise.all(
      rows.map(async ([variables = "", id = ""]) => {
        const names = variables.split(" or ");
        const loaded = await Promise.all(
          names.map((name) => loadConfig({ env: { [name]: "k" }, cwd: createFolder() })),
        );
        return loaded.map((settings) => [settings.providers.map((provider) => provider.id).join(), id]);
      }),
    );
    expect(found.flat().length).toBe(4);
    expect(found.flat().filter(([switchedOn, id]) => switchedOn !== id)).toEqual([]);
  });
});

describe("docs/architecture.md", () => {
  it("lists the layers in their order", () => {
    const test = readText("test/architecture.test.ts");
    const layers = codesOf(/const LAYERS = \[([\s\S]*?)\]/.exec(test)?.[1]?.replaceAll('"', "`"));
    expect(layers.length).toBeGreaterThan(10);
    expect(tableOf(readPage("architecture.md"), "The dependency arrow").map(([part]) => plain(part))).toEqual(layers);
  });
});

describe.each(["README.md", ...globSync("docs/**/*.md", { cwd: ROOT })])("%s", (page) => {
  const text = readText(page);

  it("names no file, folder or script that is not there", () => {
    // The three backticks of a block would put all that follow it out of step.
    const paths = codesOf(text.replaceAll(/^```[\s\S]*?^```$/gm, "")).filter((code) =>
      /^(?:src|test|proto|docs|examples)\/[\w./-]+$/.test(code),
    );
    const scripts = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(scripts.filter((name) => !(name in packageJson.scripts))).toEqual([]);
  });

  it("has links that lead somewhere", () => {
    const anchorsOf = (markdown: string): string[] =>
      [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
        heading!
          .toLowerCase()
          .replace(/[^\w\- ]/g, "")
          .replaceAll(" ", "-"),
      );
    const lost = [...text.matchAll(/\]\(([^)\s]+)\)/g)].filter(([, link = ""]) => {
      const [file = "", anchor] = link.split("#", 2);
      const path = file === "" ? page : join(dirname(page), file);
      if (!existsSync(join(ROOT, path))) return true;
      return anchor !== undefined && !anchorsOf(readText(path)).includes(anchor);
    });
    expect(lost.map(([link]) => link)).toEqual([]);
  });
});
