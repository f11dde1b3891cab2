// Writes docs/compatibility.md from the tables that the providers go by.
// Usage: node --import tsx/esm .ci/compatibility.ts
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { OpenAIQuirksSchema } from "../src/gen/parley/config/v1/openai_compatible_pb.ts";
import { PARAMETERS as anthropic } from "../src/providers/anthropic/parameters.ts";
import { PARAMETERS as google } from "../src/providers/google/parameters.ts";
import { PARAMETERS as openai } from "../src/providers/openai-compatible/parameters.ts";
import { VENDORS } from "../src/providers/openai-compatible/vendors.ts";
import { type ParameterName, type ParameterTable, type Treatment, wireName } from "../src/providers/parameter-table.ts";
import { PARAMETERS as sandbox } from "../src/providers/sandbox/parameters.ts";

const PAGE = new URL("../docs/compatibility.md", import.meta.url);

const TABLES: readonly (readonly [name: string, table: ParameterTable])[] = [
  ["OpenAI-compatible", openai],
  ["Anthropic", anthropic],
  ["Google", google],
  ["Sandbox", sandbox],
];

const INTRODUCTION = `# Parameters by provider

This page is generated from the tables that the code goes by (\`npm run generate\`). It says what becomes of each parameter of a request:

- **passed**: it is sent as it is, or under the name in brackets.
- **mapped**: it is said in the provider's own way. Where that changes what was asked for, it is reported.
- **dropped**: it is left out, and that is reported.
- **refused**: the call fails with \`unsupported_parameter\`, or \`unsupported_value\` where only the value is at fault, since without the
  parameter the answer would be another than was asked for.

A star says that there is more to it, below the table. What is reported stands in the call's report and in \`x-parley-adjustments\`; a strict
call is refused instead ([api.md](api.md#parameters-that-a-model-cannot-take)). A value that says what is so anyway, such as \`n: 1\`, is
neither reported nor refused. A parameter that Parley does not know goes to servers that speak OpenAI's API as it is, and is dropped for
OpenAI itself, Azure, Anthropic and Google but for the few that [providers.md](providers.md#parameter-honesty) names.
`;

const VENDORS_INTRODUCTION = `## Vendors that speak OpenAI's API

What is known of each vendor, in the words of [\`quirks\`](configuration.md#quirks), which can say otherwise. Rules for single models come on
top of it. [providers.md](providers.md#vendors) says how a vendor is told. What a row does not name is as in the
column of defaults of \`quirks\`, but for what the row of \`generic\` names, which is \`false\` then.
`;

/** The page. */
export function renderCompatibility(): string {
  const names = Object.keys(sandbox) as ParameterName[];
  const rows = names.map((name) => [`\`${wireName(name)}\``, ...TABLES.map(([, table]) => treatmentText(table[name]))]);
  const reasons = TABLES.map(([provider, table]) => {
    const why = names.flatMap((name) => reasonText(name, table[name]));
    return `## ${provider}\n\n${why.join("\n")}\n`;
  });
  const header = ["parameter", ...TABLES.map(([provider]) => provider)];
  const table = `${[header, header.map(() => "---"), ...rows].map(tableRow).join("\n")}\n`;
  return [INTRODUCTION, table, ...reasons, VENDORS_INTRODUCTION, `${vendorLines().join("\n")}\n`].join("\n");
}

/** What is known of each vendor, under the names that the configuration has for it. */
function vendorLines(): string[] {
  return VENDORS.map(({ word, quirks }) => {
    const settings = OpenAIQuirksSchema.fields.flatMap((field) => {
      const value: unknown = quirks[field.localName as keyof typeof quirks];
      if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
      const shown = field.enum === undefined ? value : field.enum.value[Number(value)]?.localName.toLowerCase();
      return [`\`${field.name}: ${Array.isArray(shown) ? `[${shown.join(", ")}]` : String(shown)}\``];
    });
    return `- \`${word}\`: ${settings.join(", ") || "nothing; it is asked as the request has it"}`;
  });
}

const tableRow = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

function treatmentText(treatment: Treatment): string {
  switch (treatment.kind) {
    case "passed":
      return `passed${treatment.as === undefined ? "" : ` (\`${treatment.as}\`)`}${treatment.when === undefined ? "" : " *"}`;
    case "mapped":
      return `mapped${treatment.when === undefined ? "" : " *"}`;
    case "dropped":
    case "refused":
      return treatment.kind;
    default:
      return treatment satisfies never;
  }
}

/** Names with commas between, as code. */
const codes = (names: string): string => names.replaceAll(/[^, ]+/g, "`$&`");

function reasonText(name: ParameterName, treatment: Treatment): string[] {
  const line = (text: string): string[] => [`- \`${wireName(name)}\` is ${text}`];
  switch (treatment.kind) {
    case "passed":
      return treatment.when === undefined ? [] : line(`passed; ${treatment.when}`);
    case "mapped":
      return line(`mapped to ${codes(treatment.as)}${treatment.when === undefined ? "" : `; ${treatment.when}`}`);
    case "dropped":
    case "refused":
      return line(`${treatment.kind}: ${treatment.why}`);
    default:
      return treatment satisfies never;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, renderCompatibility());
