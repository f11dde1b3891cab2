import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { createFolder } from "./folder.ts";
import { problemsOf } from "./load.ts";

const PEM = { type: "pkcs8", format: "pem" } as const;
const CERT = readFileSync("test/server/fixtures/localhost-cert.pem", "utf8");
const KEY = readFileSync("test/server/fixtures/localhost-key.pem", "utf8");
const OTHER_KEY = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export(PEM) as string;
const RSA_KEY = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export(PEM) as string;
const LOCKED_KEY = createPrivateKey(KEY).export({ ...PEM, cipher: "aes-128-cbc", passphrase: "s3cr3t" }) as string;
const CONFIG = "tls: { cert_file: tls/cert.pem, key_file: tls/key.pem }";

const load = (folder: string) => loadConfig({ env: {}, cwd: "/", path: join(folder, "parley.yaml") });

describe("loadConfig() with TLS", () => {
  it("reads both files from where the configuration is", async () => {
    const folder = createFolder({ "parley.yaml": CONFIG, "tls/cert.pem": CERT, "tls/key.pem": KEY });
    expect((await load(folder)).tls).toEqual({
      certFile: join(folder, "tls/cert.pem"),
      keyFile: join(folder, "tls/key.pem"),
      cert: CERT,
      key: KEY,
    });
  });

  it("takes absolute paths", async () => {
    const keys = createFolder({ "cert.pem": CERT, "key.pem": KEY });
    const text = `tls: { cert_file: ${join(keys, "cert.pem")}, key_file: ${join(keys, "key.pem")} }`;
    expect((await load(createFolder({ "parley.yaml": text }))).tls?.cert).toBe(CERT);
  });

  it("names each file that is missing, with its path", async () => {
    const folder = createFolder({ "parley.yaml": CONFIG });
    const file = join(folder, "parley.yaml");
    expect(await problemsOf(load(folder))).toEqual([
      `${file}: tls.cert_file: ${join(folder, "tls/cert.pem")} can't be read: there is no such file`,
      `${file}: tls.key_file: ${join(folder, "tls/key.pem")} can't be read: there is no such file`,
    ]);
  });

  it("wants both files", async () => {
    const folder = createFolder({ "parley.yaml": "tls: { cert_file: cert.pem }", "cert.pem": CERT });
    expect(await problemsOf(load(folder))).toEqual([`${join(folder, "parley.yaml")}: tls.key_file: value is required`]);
  });

  const MISMATCH = "tls: the key in tls.key_file is not that of the first certificate in tls.cert_file";
  const NO_CERT = "tls.cert_file: FOLDER/tls/cert.pem holds no certificate as PEM";
  const NO_KEY = "tls.key_file: FOLDER/tls/key.pem holds no private key as PEM without a passphrase";
  it.each([
    ["a key of another certificate", CERT, OTHER_KEY, MISMATCH],
    ["a key of another kind", CERT, RSA_KEY, MISMATCH],
    ["a certificate that is none", "hello", KEY, NO_CERT],
    ["a key that is none", CERT, "hello", NO_KEY],
    ["a key with a passphrase", CERT, LOCKED_KEY, NO_KEY],
  ])("rejects %s, and quotes neither", async (_what, cert, key, reason) => {
    const folder = createFolder({ "parley.yaml": CONFIG, "tls/cert.pem": cert, "tls/key.pem": key });
    const problem = `${join(folder, "parley.yaml")}: ${reason.replace("FOLDER", folder)}`;
    expect(await problemsOf(load(folder))).toEqual([problem]);
  });

  it("rejects a chain that breaks off, in the words of OpenSSL", async () => {
    const chain = `${CERT}-----BEGIN CERTIFICATE-----\nhello\n-----END CERTIFICATE-----\n`;
    const folder = createFolder({ "parley.yaml": CONFIG, "tls/cert.pem": chain, "tls/key.pem": KEY });
    const [problem, ...others] = await problemsOf(load(folder));
    expect(problem).toMatch(/parley\.yaml: tls: certificate and key can't be used: \S/);
    expect(problem).not.toMatch(/hello|BEGIN/);
    expect(others).toEqual([]);
  });
});
