/** Network addresses as text: `host:port`, with an IPv6 host in brackets. */
import net from "node:net";

/** A bare host (an IPv6 address without brackets) and a TCP port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const FORM = /^(?:\[(?<bracketed>[^[\]]*)\]|(?<plain>[^[\]:]*)):(?<port>\d{1,5})$/;
const NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?)*\.?$/i;
// A name whose last label is a number is meant as an IPv4 address (WHATWG URL, "ends in a number"): "256.0.0.1" and "127.1" must
// not get to a resolver, which reads them in ways of its own.
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i;

/**
 * Reads `host:port`. Both are required; port 0 means any free one. Throws an Error whose message repeats the text and says what
 * is wrong with it.
 */
export function parseAddress(text: string): Address {
  const refuse = (why: string): Error => new Error(`${JSON.stringify(text)} ${why}`);
  const groups = FORM.exec(text)?.groups;
  if (groups === undefined) {
    throw refuse("must be host:port, with an IPv6 host in brackets, such as 127.0.0.1:8080 or [::1]:8080");
  }
  const port = Number(groups["port"]);
  if (port > 65_535) throw refuse(`has port ${port}, which must be <= 65535`);
  const { bracketed, plain } = groups;
  if (bracketed !== undefined) {
    if (!net.isIPv6(bracketed)) throw refuse("must have an IPv6 address in its brackets");
    return { host: bracketed, port };
  }
  const host = plain ?? "";
  if (host === "") throw refuse("has no host; put 127.0.0.1 before the colon");
  if (!net.isIPv4(host) && (ENDS_IN_NUMBER.test(host) || !NAME.test(host))) {
    throw refuse("has a host that is neither an IP address nor a host name");
  }
  return { host, port };
}

/** Writes an address the way parseAddress reads it. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The address that a URL of http or https leads to; undefined for text that is no such URL. */
export function addressOfUrl(text: string): Address | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, port } = new URL(text);
  const common = protocol === "https:" ? 443 : protocol === "http:" ? 80 : undefined;
  if (common === undefined) return undefined;
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: port === "" ? common : Number(port) };
}

const loopback = new net.BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/**
 * Whether only this machine can reach a server that listens on the host: 127.0.0.0/8, also mapped into IPv6, ::1 and the name
 * `localhost`. Any other name counts as reachable, as nobody knows what it will resolve to.
 */
export function isLoopback(host: string): boolean {
  const family = net.isIP(host);
  if (family === 0) return /^localhost\.?$/i.test(host);
  return loopback.check(host, family === 6 ? "ipv6" : "ipv4");
}
