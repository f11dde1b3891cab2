import { lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { RunsOptions } from "./options.ts";

/** Longest time that a request waits for a name to be resolved; what takes longer is found out when the message is sent. */
const RESOLVE_MS = 2_000;

/** Networks that are not public, as IANA's registries of special addresses have them; of IPv6, all beyond 2000::/3 is not, either. */
const NOT_PUBLIC_4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
];
const NOT_PUBLIC_6 = ["2001::/23", "2001:db8::/32", "2002::/16"];

const notPublic4 = blockListOf(NOT_PUBLIC_4, "ipv4");
const notPublic6 = blockListOf(NOT_PUBLIC_6, "ipv6");
const global6 = blockListOf(["2000::/3"], "ipv6");

/**
 * Checks the address of a webhook, so that whoever gives it hears at once of what is wrong with it. Fails with INVALID_VALUE. What it
 * resolves to is looked at again when the message is sent; that is what counts.
 */
export async function checkWebhookAddress(
  text: string,
  { allowAddresses = [], lookup = systemLookup }: Pick<RunsOptions, "allowAddresses" | "lookup">,
): Promise<void> {
  const url = URL.parse(text);
  if (url === null) throw invalid("is no address");
  if (url.protocol !== "https:" && url.protocol !== "http:") throw invalid("must begin with https:// or http://");
  if (url.username !== "" || url.password !== "") throw invalid("must have no credentials in it");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(host) === 0 ? await Promise.race([resolve(host, lookup), pause(RESOLVE_MS, [])]) : [host];
  if (addresses.some((address) => !allowAddresses.includes(address) && !isPublic(address))) {
    throw invalid("is not at a public address");
  }
}

/** What a name resolves to; nothing where it does not, now. */
function resolve(name: string, lookup: LookupFunction): Promise<string[]> {
  return new Promise((done) => {
    lookup(name, { all: true }, (error, found) => {
      if (error !== null) done([]);
      else done(typeof found === "string" ? [found] : found.map(({ address }) => address));
    });
  });
}

function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !notPublic4.check(address, "ipv4");
  return global6.check(address, "ipv6") && !notPublic6.check(address, "ipv6");
}

function blockListOf(networks: readonly string[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

const invalid = (what: string): GatewayError =>
  new GatewayError(Reason.INVALID_VALUE, `webhook_url ${what}`, { param: "webhook_url" });
