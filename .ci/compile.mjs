// Loads all of the program, so that tsx and V8 compile it and keep that in the folder for temporary files: the first start after an
// installation then takes no more time and memory than every other one.
// Usage: node --import tsx/esm .ci/compile.mjs
import { enableCompileCache } from "node:module";

enableCompileCache();
process.argv.push("--version"); // What main.ts is to do.
// tsx writes in the background, and an exit would cut that off.
process.exit = (status) => {
  process.exitCode = status;
};
await import("../src/compose.ts");
// What a start with providers loads besides.
await import("../src/compose-upstream.ts");
await import("../src/upstream/vendor-prices.ts");
await import("@pydantic/genai-prices");
// What metrics and traces load besides.
const { load } = await import("../src/telemetry/open-telemetry.ts");
for (const name of ["resources", "exporter-prometheus", "exporter-metrics-otlp-proto", "exporter-trace-otlp-proto"]) {
  await load(`@opentelemetry/${name}`);
}
// What is loaded when something is kept, and where limits are shared and tokens are taken.
for (const file of ["sqlite/sqlite-store.ts", "postgres/postgres-store.ts"]) await import(`../src/store/${file}`);
for (const file of ["open-runs.ts", "webhooks.ts", "webhook-address.ts", "webhook-sender.ts"]) {
  await import(`../src/runs/${file}`);
}
for (const name of ["redis", "jose"]) await import(name);
await import("../src/admission/limits/redis-limiter.ts");
for (const file of ["parse-yaml.ts", "format-settings.ts"]) await import(`../src/config/${file}`);
await import("../src/main.ts");
