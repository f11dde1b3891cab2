import type { Agent as HttpAgent } from "node:http";
import type { Agent } from "node:https";
import { BlockList, isIP, type LookupFunction, Socket } from "node:net";
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from "request-filtering-agent";

/** What an agent may be told besides its rule. */
export interface PublicAgentOptions {
  /** Addresses that are connected to all the same, each written in full, such as "127.0.0.1". */
  readonly allowAddresses: readonly string[];
  /** Resolves names, as `dns.lookup` does. */
  readonly lookup: LookupFunction;
}

const GLOBAL_IPV6 = new BlockList();
GLOBAL_IPV6.addSubnet("2000::", 3, "ipv6");

/** Public by its number, but answered by the host of every virtual machine at Azure. */
const AZURE_HOST = "168.63.129.16";

/**
 * Whether an address is one of those that the agent's own ranges let pass though they are not public: IPv6 that nobody has given out
 * yet (all beyond 2000::/3), and Azure's host.
 */
function isMissedByRanges(address: string): boolean {
  return isIP(address) === 6 ? !GLOBAL_IPV6.check(address.replace(/%.*$/, ""), "ipv6") : address === AZURE_HOST;
}

/**
 * An agent that connects to public addresses only. It checks what a name resolves to, and connects to the very addresses that it
 * checked, so that a name that resolves anew gains nothing. One address of a name that is not public refuses the name.
 */
export function createPublicAgent(options: PublicAgentOptions): Agent {
  return new PublicAgent(options);
}

/** The same for addresses without TLS. */
export function createPublicHttpAgent(options: PublicAgentOptions): HttpAgent {
  return new PublicHttpAgent(options);
}

/** What an agent is made of. */
function settingsOf({ allowAddresses, lookup }: PublicAgentOptions) {
  const allowed = new Set(allowAddresses);
  const isRefused = (address: string): boolean => !allowed.has(address) && isMissedByRanges(address);
  return { isRefused, agent: { keepAlive: false, allowIPAddressList: [...allowed], lookup: guard(lookup, isRefused) } };
}

/** Most of the work is done by the package; this adds what its ranges miss, for names and for addresses in numbers. */
class PublicAgent extends RequestFilteringHttpsAgent {
  readonly #isRefused: (address: string) => boolean;

  constructor(options: PublicAgentOptions) {
    const { agent, isRefused } = settingsOf(options);
    super(agent);
    this.#isRefused = isRefused;
  }

  override createConnection(
    ...[options, done]: Parameters<RequestFilteringHttpsAgent["createConnection"]>
  ): ReturnType<RequestFilteringHttpsAgent["createConnection"]> {
    return this.#isRefused(options.host ?? "") ? refuse(done) : super.createConnection(options, done);
  }
}

class PublicHttpAgent extends RequestFilteringHttpAgent {
  readonly #isRefused: (address: string) => boolean;

  constructor(options: PublicAgentOptions) {
    const { agent, isRefused } = settingsOf(options);
    super(agent);
    this.#isRefused = isRefused;
  }

  override createConnection(
    ...[options, done]: Parameters<RequestFilteringHttpAgent["createConnection"]>
  ): ReturnType<RequestFilteringHttpAgent["createConnection"]> {
    return this.#isRefused(options.host ?? "") ? refuse(done) : super.createConnection(options, done);
  }
}

function refuse(done: Parameters<RequestFilteringHttpAgent["createConnection"]>[1]): Socket {
  const socket = new Socket();
  done?.(notPublic(), socket);
  return socket;
}

const guard =
  (lookup: LookupFunction, isRefused: (address: string) => boolean): LookupFunction =>
  (name, options, done) =>
    lookup(name, options, (error, found, family) => {
      const addresses = typeof found === "string" ? [found] : (found ?? []).map(({ address }) => address);
      done(error ?? (addresses.some(isRefused) ? notPublic() : null), found, family);
    });

const notPublic = (): Error => new Error("the address is not public");
