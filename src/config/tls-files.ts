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
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    // OpenSSL's words name what it could not do ("key values mismatch"); they quote nothing.
    report("tls", `certificate and key can't be used: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  return { certFile, keyFile, cert, key };
}

async function readPem(path: string, key: string, report: Report): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    report(key, `${path} can't be read: ${fileFault(error)}`);
    return undefined;
  }
}
