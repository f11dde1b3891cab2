/**
 * The gateway with its defaults, but for the port and the sandbox's delay. It logs a line for each call, as it does for everybody. With
 * the address of an upstream as its first argument, that is where all providers are.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGateway } from "../../src/compose.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { answerAsServer } from "./child-side.ts";

const [, , upstream] = process.argv;
const providers = {
  OPENAI_API_KEY: "none-needed",
  OPENAI_BASE_URL: `${upstream}/v1`,
  ANTHROPIC_API_KEY: "none-needed",
  ANTHROPIC_BASE_URL: upstream,
  GEMINI_API_KEY: "none-needed",
  GOOGLE_GEMINI_BASE_URL: upstream,
};
const dataDir = mkdtempSync(join(tmpdir(), "parley-bench-"));
process.once("exit", () => rmSync(dataDir, { recursive: true, force: true }));
const env = { PARLEY_LISTEN: "127.0.0.1:0", PARLEY_DATA_DIR: dataDir, ...(upstream === undefined ? {} : providers) };
const settings = await loadConfig({ env, cwd: "/" });
const gateway = await startGateway({ ...settings, sandbox: { tokenDelayMs: 0 } });
answerAsServer(gateway.address.port);
