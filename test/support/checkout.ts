import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./commands.ts";

/** What npm's scripts need to start the program; no bundle is among it. */
const NEEDED = [".ci", "src", "package.json", "tsconfig.json"];

/** A copy of the project as it is now, in a folder of its own, with the same packages. */
export interface Checkout {
  readonly folder: string;
  remove(): void;
}

/** Makes one. */
export function copyCheckout(): Checkout {
  // As people name folders: not every path is a URL.
  const folder = mkdtempSync(join(tmpdir(), "parley checkout #1 %20-"));
  for (const name of NEEDED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
