import { type Address, isLoopback, parseAddress } from "../lib/address.ts";
import type { Candidate } from "./problems.ts";

const DEFAULT_LISTEN = "127.0.0.1:8080";

/**
 * Chooses the address to listen on: of the first candidate that has one, or 127.0.0.1:8080. Every text must be an address. Where
 * nobody could be known who calls (`isOpen`), the chosen one must be loopback.
 */
export function chooseListen(candidates: readonly Candidate[], isOpen: boolean): Address {
  const [chosen] = candidates.flatMap(readAddress);
  if (chosen === undefined) return parseAddress(DEFAULT_LISTEN);
  const { candidate, address } = chosen;
  if (isOpen && !isLoopback(address.host)) candidate.refuse(openListenFault(address.host));
  return address;
}

/** Says why a gateway without keys does not listen there, and what to do. */
export const openListenFault = (host: string): string =>
  `listening on ${host} without authentication would let anybody who reaches this machine call the models; make a key with ` +
  '"parley keys create", or name keys or an issuer of tokens under auth in the file, or listen on 127.0.0.1 or [::1]';

function readAddress(candidate: Candidate): { candidate: Candidate; address: Address }[] {
  if (candidate.text === undefined) return [];
  try {
    return [{ candidate, address: parseAddress(candidate.text) }];
  } catch (error) {
    candidate.refuse(error instanceof Error ? error.message : String(error));
    return [];
  }
}
