/**
 * A process that records rows without end in the folder that it is given. With every flush it says, on a line, how many are written. On
 * SIGTERM it says how many it has recorded, and ends as a gateway does: nothing may keep it alive.
 */
import { createRequestLog } from "../../../../src/gateway/request-log/request-log.ts";
import { createLateStore } from "../../../../src/store/late-store.ts";
import { createLogger } from "../../../../src/telemetry/logger.ts";
import { rowWith } from "./rows.ts";

const [dataDir = ""] = process.argv.slice(2);
const store = createLateStore({ dataDir, databaseUrl: undefined });
const settings = { enabled: true, retentionMs: 86_400_000 };
const log = createRequestLog({ store, settings, logger: createLogger({ level: "silent" }) });

let recorded = 0;
let isEnding = false;
process.once("SIGTERM", async () => {
  isEnding = true;
  console.log(`recorded ${recorded}`);
  await log.close();
  await store.close();
});

while (!isEnding) {
  for (let at = 0; at < 70; at++) log.record(rowWith());
  recorded += 70;
  const before = recorded;
  void log.flush().then(() => console.log(`written ${before}`));
  await new Promise((resolve) => setTimeout(resolve, 5));
}
