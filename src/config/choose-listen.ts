import { type Address, isLoopback, parseAddress } from "../lib/address.ts";
import type { Candidate } from "./problems.ts";

const DEFAULT_LISTEN = "127.0.0.1:8080";

/**
 * Chooses the address to listen on: of the first candidate that has one, or 127.0.0.1:8080. Every text must be an address, and
 * the chosen one must be loopback, because there is no authentication.
 */
export function chooseListen(candidates: readonly Candidate[]): Address {
  const [chosen] = candidates.flatMap(readAddress);
  if (chosen === undefined) return parseAddress(DEFAULT_LISTEN);
  const { candidate, address } = chosen;
  if (!isLoopback(address.host)) {
    candidate.refuse(
      `listening on ${address.host} without authentication would let anybody who reaches this machine call the models; ` +
        "listen on 127.0.0.1 or [::1], and put a proxy with authentication in front",
    );
  }
  return address;
}

function readAddress(candidate: Candidate): { candidate: Candidate; address: Address }[] {
  if (candidate.text === undefined) return [];
  try {
    return [{ candidate, address: parseAddress(candidate.text) }];
  } catch (error) {
    candidate.refuse(error instanceof Error ? error.message : String(error));
    return [];
  }
}
