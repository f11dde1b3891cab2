/**
 * Another process that uses a store: `child.ts hold|insert|open <folder or address>`. It says "open" on a line of its own, or
 * "refused: …". Told to insert, it says of each key that is kept, and goes on until it is killed; told to hold, it waits for that.
 */
import { writeSync } from "node:fs";
import { createKeyRows } from "../../src/store/keys.ts";
import { createLateStore } from "../../src/store/late-store.ts";
import { storeFault } from "../../src/store/store-error.ts";
import { keyRow } from "./rows.ts";

const [task, place = "", prefix = ""] = process.argv.slice(2);
// Written at once, so that what was said before a kill was not said in vain.
const say = (line: string): unknown => writeSync(1, `${line}\n`);
const settings = place.startsWith("postgres:")
  ? { dataDir: "/nowhere", databaseUrl: place }
  : { dataDir: place, databaseUrl: undefined };
const late = createLateStore(settings, { shared: task === "open" });
try {
  const keys = createKeyRows(await late.open());
  say("open");
  if (task === "open") await late.close();
  for (let at = 0; task === "insert"; at += 1) {
    await keys.insert(keyRow(`${prefix}_${at}`));
    say(`${prefix}_${at}`);
  }
} catch (error) {
  say(`refused: ${storeFault(error) ?? error}`);
  await late.close();
}
