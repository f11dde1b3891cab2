#!/usr/bin/env node
// What the package's command `parley` runs: main.ts, from whatever folder it is called in.
import { register } from "tsx/esm/api";

register();
await import("./main.ts");
