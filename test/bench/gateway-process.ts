/** The gateway with its defaults, but for the port and the sandbox's delay. It logs a line for each call, as it does for everybody. */
import { startGateway } from "../../src/compose.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { answerAsServer } from "./child-side.ts";

const settings = await loadConfig({ env: { PARLEY_LISTEN: "127.0.0.1:0" }, cwd: "/" });
const gateway = await startGateway({ ...settings, sandbox: { tokenDelayMs: 0 } });
answerAsServer(gateway.address.port);
