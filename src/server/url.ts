import { type Address, formatAddress } from "../lib/address.ts";

/** What means every interface, and is no address to call, by the loopback address of its family. */
const CALLABLE: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** The URL of a server for people on the same machine. */
export function formatUrl(scheme: "http" | "https", { host, port }: Address): string {
  return `${scheme}://${formatAddress({ host: CALLABLE[host] ?? host, port })}`;
}
