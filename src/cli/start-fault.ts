import type { Settings } from "../config/settings.ts";
import { formatAddress } from "../lib/address.ts";
import { storeFault } from "../store/store-error.ts";
import { WorkerEndedError } from "../workers/worker-ended.ts";

/** Words for what Node says when an address can't be listened on. */
const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program does already; choose another port with --listen or PARLEY_LISTEN",
  EADDRNOTAVAIL: "this machine does not have the address",
  EACCES: "this user may not; ports below 1024 often need root",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name can't be resolved now",
};

/** Says in a line why a gateway could not start; undefined for an error that is nothing that its user could help. */
export function startFault(error: unknown, { listen }: Settings): string | undefined {
  const ofPort = portFault(error);
  if (ofPort !== undefined) return `parley can't listen on ${formatAddress(listen)}: ${ofPort}`;
  const fault = storeFault(error) ?? (error instanceof WorkerEndedError ? error.message : undefined);
  return fault === undefined ? undefined : `parley can't start: ${fault}`;
}

function portFault(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return WORDS[String(error.code)];
}
