import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { createSecureContext } from "node:tls";
import type { Tls } from "../gen/parley/config/v1/config_pb.ts";
import { type ConfigFile, fileFault } from "./config-file.ts";
import type { Report } from "./problems.ts";
import type { TlsSettings } from "./settings.ts";

/**
 * Reads certificate and key, whose paths are relative to the configuration file, and tries whether TLS can be served with them.
 * Returns undefined after a report, and where a path is missing, which the schema's rules report.
 */
export async function readTlsFiles(tls: Tls, file: ConfigFile, report: Report): Promise<TlsSettings | undefined> {
  if (tls.certFile === "" || tls.keyFile === "") return undefined;
  const certFile = resolve(dirname(file.path), tls.certFile);
  const keyFile = resolve(dirname(file.path), tls.keyFile);
  const [cert, key] = await Promise.all([
    readPem(certFile, "tls.cert_file", report),
    readPem(keyFile, "tls.key_file", report),
  ]);
  if (cert === undefined || key === undefined) return undefined;
  return checkPair({ certFile, keyFile, cert, key }, report) ? { certFile, keyFile, cert, key } : undefined;
}

/** Tells what is wrong with each file before the pair is tried: OpenSSL's own words name neither the file nor the remedy. */
function checkPair({ certFile, keyFile, cert, key }: TlsSettings, report: Report): boolean {
  const certificate = parse(() => new X509Certificate(cert));
  const privateKey = parse(() => createPrivateKey(key));
  if (certificate === undefined) report("tls.cert_file", `${certFile} holds no certificate as PEM`);
  if (privateKey === undefined) report("tls.key_file", `${keyFile} holds no private key as PEM without a passphrase`);
  if (certificate === undefined || privateKey === undefined) return false;
  // A context keeps one pair for each kind of key, so it takes an RSA certificate beside an EC key, and then fails every handshake.
  if (!certificate.checkPrivateKey(privateKey)) {
    report("tls", "the key in tls.key_file is not that of the first certificate in tls.cert_file");
    return false;
  }
  try {
    createSecureContext({ cert, key });
    return true;
  } catch (error) {
    // OpenSSL's words name what it could not do ("ee key too small"); they quote nothing.
    report("tls", `certificate and key can't be used: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

/** What OpenSSL can read; undefined for what it can't, whatever its reason. */
function parse<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // The reason is in OpenSSL's terms; the caller has plainer ones.
  }
}

async function readPem(path: string, key: string, report: Report): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    report(key, `${path} can't be read: ${fileFault(error)}`);
    return undefined;
  }
}
