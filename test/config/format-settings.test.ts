import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatSettings } from "../../src/config/format-settings.ts";
import { loadText } from "./load.ts";

const FIXTURES = join(process.cwd(), "test/server/fixtures");
const FULL = `
listen: "[::1]:9"
tls: { cert_file: ${FIXTURES}/localhost-cert.pem, key_file: ${FIXTURES}/localhost-key.pem }
limits: { max_body_bytes: 2048, max_connections: 5, max_concurrent_streams: 6 }
timeouts: { total: 1s, first_chunk: 0.25s, idle: 2.5s, headers: 3s, request: 4s, keep_alive: 5s, drain: 0s }
cors: { allowed_origins: ["*"] }
log: { level: silent }
auto_model: sandbox/echo
sandbox: { token_delay: 0.001s }
`;

describe("formatSettings()", () => {
  it.each([
    ["the defaults", ""],
    ["every key", FULL],
  ])("writes %s as a file that reads back as the same settings", async (_what, text) => {
    const settings = await loadText(text);
    const again = await loadText(formatSettings(settings));
    expect({ ...again, file: "" }).toEqual({ ...settings, file: "" });
  });

  it("keeps the texts of certificate and key to itself", async () => {
    const text = formatSettings(await loadText(FULL));
    expect(text).toContain(`key_file: ${FIXTURES}/localhost-key.pem`);
    expect(text).not.toContain("BEGIN");
  });
});
