import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };

const SRC = resolve(dirname(fileURLToPath(import.meta.url)), "../src");

/** The parts of src, from the top down. A part imports from itself and from what stands below it. */
const LAYERS = [
  "main.ts",
  "cli",
  "compose.ts",
  "compose-generation.ts",
  "compose-state.ts",
  "compose-upstream.ts",
  "workers",
  "server",
  "rpc",
  "rest",
  "runs",
  "gateway",
  "admission",
  "routing",
  "upstream",
  "providers",
  "store",
  "config",
  "rules",
  "telemetry",
  "openai-json",
  "errors",
  "lib",
  "gen",
];

/** Parts that may import an outside package only when it is named here; "*" stands for any. Node's own modules are free. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  cli: ["@bufbuild/protobuf", "commander"],
  server: ["@connectrpc/connect"],
  rpc: ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-node", "lru-cache"],
  rest: ["@bufbuild/protobuf"],
  runs: ["@bufbuild/protobuf", "kysely", "standardwebhooks", "undici"],
  gateway: ["@bufbuild/protobuf", "cockatiel"],
  admission: ["@bufbuild/protobuf", "@bufbuild/protovalidate", "jose", "lru-cache", "redis"],
  store: ["@bufbuild/protobuf", "kysely", "pg"],
  routing: ["@bufbuild/protobuf", "cockatiel", "lru-cache"],
  upstream: [
    "@bufbuild/protobuf",
    "@pydantic/genai-prices",
    "eventsource-parser",
    "lru-cache",
    "request-filtering-agent",
    "undici",
  ],
  providers: ["@bufbuild/protobuf", "gpt-tokenizer", "lru-cache", "magic-bytes.js"],
  "openai-json": ["@bufbuild/protobuf"],
  telemetry: [
    "@connectrpc/connect",
    "@opentelemetry/api",
    "@opentelemetry/core",
    "@opentelemetry/exporter-metrics-otlp-proto",
    "@opentelemetry/exporter-prometheus",
    "@opentelemetry/exporter-trace-otlp-proto",
    "@opentelemetry/resources",
    "@opentelemetry/sdk-metrics",
    "@opentelemetry/sdk-trace",
    "pino",
  ],
  config: ["@bufbuild/protobuf", "yaml"],
  rules: ["@bufbuild/protobuf", "@bufbuild/protovalidate"],
  errors: ["@bufbuild/protobuf", "@connectrpc/connect"],
  lib: [],
  gen: ["@bufbuild/protobuf", "@bufbuild/protovalidate"],
};

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

/** What a file imports, types included: paths relative to src, and names of packages. */
function importsOf(file: string): { readonly inside: string[]; readonly outside: string[] } {
  const text = readFileSync(join(SRC, file), "utf8");
  const statements = text.matchAll(/^(?:import|export)\s(?:[^"';=]*?\sfrom\s)?"([^"]+)";/gm);
  const calls = text.matchAll(/\bimport\("([^"]+)"\)/g);
  const specifiers = [...statements, ...calls].map(([, specifier]) => specifier as string);
  return {
    inside: specifiers.filter((it) => it.startsWith(".")).map((it) => relative(SRC, resolve(SRC, dirname(file), it))),
    outside: specifiers.filter((it) => !it.startsWith(".") && !it.startsWith("node:")).map(packageOf),
  };
}

const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
const partOf = (file: string): string => file.split("/")[0] as string;
const graph = new Map(files.map((file) => [file, importsOf(file)]));

/** What a file loads when it is loaded: all that it imports by statements, but for types. */
function loadsOf(file: string): string[] {
  const statements = /^(?:import|export)\s(?!type\s)(?:[^"';=]*?\sfrom\s)?"([^"]+)";/gm;
  return [...readFileSync(join(SRC, file), "utf8").matchAll(statements)].map(([, specifier = ""]) => specifier);
}

/** What a gateway without providers has loaded when it starts. */
const loaded = new Set<string>();
const load = (file: string): void => {
  if (loaded.has(file)) return;
  loaded.add(file);
  for (const specifier of loadsOf(file).filter((it) => it.startsWith(".")))
    load(relative(SRC, resolve(SRC, dirname(file), specifier)));
};
load("main.ts");
// The command line loads its commands when they are called.
load("compose.ts");

describe("architecture", () => {
  it("reads the imports of every file", () => {
    expect(files.length).toBeGreaterThan(100);
    expect(graph.get("main.ts")?.inside.length).toBeGreaterThan(0);
  });

  it("has no part that is not a layer", () => {
    expect([...new Set(files.map(partOf))].filter((part) => !LAYERS.includes(part))).toEqual([]);
  });

  it("imports only what exists", () => {
    const missing = [...graph].flatMap(([file, { inside }]) =>
      inside.filter((target) => !graph.has(target)).map((target) => `${file} → ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it("imports only downwards", () => {
    const upward = [...graph].flatMap(([file, { inside }]) =>
      inside
        .filter((target) => LAYERS.indexOf(partOf(target)) < LAYERS.indexOf(partOf(file)))
        .map((target) => `${file} → ${target}`),
    );
    expect(upward).toEqual([]);
  });

  it("imports packages only where they belong", () => {
    const stray = [...graph].flatMap(([file, { outside }]) =>
      outside.filter((name) => PACKAGES[partOf(file)]?.includes(name) !== true).map((name) => `${file} → ${name}`),
    );
    expect(stray).toEqual([]);
  });

  it("imports only packages that an installation without those for development has", () => {
    const used = new Set([...graph.values()].flatMap(({ outside }) => outside));
    expect([...used].filter((name) => !(name in packageJson.dependencies))).toEqual([]);
  });

  it("keeps providers free of sockets, clocks and chance", () => {
    const impure =
      /\b(?:Date\.now|new Date\(\)|performance\.|Math\.random|setTimeout|setInterval|fetch\()|"node:(?:http2?|https|net|tls|dns|timers(?:\/promises)?)"/;
    const found = files.filter(
      (file) => file.startsWith("providers/") && impure.test(readFileSync(join(SRC, file), "utf8")),
    );
    expect(found).toEqual([]);
  });

  it("loads what it takes to reach providers only where there are any", () => {
    const late = [...loaded].filter((file) => /^(?:compose-upstream|providers\/(?!sandbox\/)[\w-]+\/)/.test(file));
    expect(loaded.size).toBeGreaterThan(100);
    expect([...late, ...[...loaded].filter((file) => graph.get(file)?.outside.includes("undici"))]).toEqual([]);
  });

  it("loads databases, what checks tokens, and what judges messages, only where it takes them", () => {
    const late = ["kysely", "kysely/migration", "pg", "redis", "jose", "node:sqlite", "@bufbuild/protovalidate"];
    const found = [...loaded].flatMap((file) =>
      loadsOf(file)
        .filter((specifier) => late.includes(specifier))
        .map((specifier) => `${file} → ${specifier}`),
    );
    expect(found).toEqual([]);
  });

  it("has the same files in each provider with a network", () => {
    const names = [
      "wire.ts",
      "encode-request.ts",
      "decode-response.ts",
      "stream-decoder.ts",
      "decode-error.ts",
      "finish-reasons.ts",
      "usage.ts",
      "capabilities.ts",
      "abilities.ts",
      "parameters.ts",
      "models.ts",
      "provider.ts",
    ];
    const families = ["openai-compatible", "anthropic", "google"];
    const expected = families.flatMap((family) => names.map((name) => `providers/${family}/${name}`));
    expect(expected.filter((file) => !graph.has(file))).toEqual([]);
  });

  it("has no cycles", () => {
    const cycles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, trail: readonly string[]): void => {
      if (trail.includes(file)) cycles.push([...trail.slice(trail.indexOf(file)), file].join(" → "));
      if (done.has(file) || trail.includes(file)) return;
      for (const target of graph.get(file)?.inside ?? []) visit(target, [...trail, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });
});
