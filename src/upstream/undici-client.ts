import { Agent, type Dispatcher, EnvHttpProxyAgent, interceptors } from "undici";
import type { Endpoint } from "../providers/provider.ts";
import type { UpstreamClient } from "./client.ts";
import { Exchange } from "./exchange.ts";
import { type EndpointHead, readEndpoint, requestPath } from "./request-head.ts";

/** How the way to providers is taken. */
export interface UpstreamClientOptions {
  /** What every request says of its sender: "parley/1.0.0". */
  readonly userAgent: string;
  /** Proxies, as the usual environment variables name them. */
  readonly proxies?: ProxySettings;
  /** For a connection, with its TLS, to come about; 10,000 ms by default. */
  readonly connectTimeoutMs?: number;
  /** Most connections to one provider, and so most calls to it at once: further ones wait. 10,000 by default. */
  readonly maxConnectionsPerOrigin?: number;
}

/** Values of the environment variables, unset or empty for none. */
export interface ProxySettings {
  /** HTTP_PROXY: for addresses with http, and for those with https where HTTPS_PROXY is unset. */
  readonly http?: string | undefined;
  /** HTTPS_PROXY: for addresses with https. */
  readonly https?: string | undefined;
  /** NO_PROXY: hosts that are reached without, with commas between; "*" for all. */
  readonly none?: string | undefined;
}

const DEFAULTS = { connectTimeoutMs: 10_000, maxConnectionsPerOrigin: 10_000 };

/**
 * Makes a client that keeps a pool of connections to each provider. A connection carries one call at a time, on HTTP/1.1: to end a
 * call is to close its connection, which every server understands. It is kept for 4 s, or as long as the server says. How long
 * an answer may take is the caller's business, by the signal. Throws for a proxy whose address can't be read.
 */
export function createUpstreamClient(options: UpstreamClientOptions): UpstreamClient {
  const { userAgent, proxies = {} } = options;
  const agent = createAgent(options, proxies);
  // It is of use only where a server compresses what it was asked not to.
  const dispatcher = agent.compose(interceptors.decompress({ skipErrorResponses: false }));
  const heads = new WeakMap<Endpoint, EndpointHead>();
  const headOf = (endpoint: Endpoint): EndpointHead => {
    const known = heads.get(endpoint);
    if (known !== undefined) return known;
    const head = readEndpoint(endpoint, userAgent);
    heads.set(endpoint, head);
    return head;
  };

  return {
    async request({ id, endpoint }, { method, path, headers, body }, signal) {
      signal.throwIfAborted();
      const head = headOf(endpoint);
      const base = body === undefined ? head.withoutBody : head.withBody;
      const exchange = new Exchange(id, signal);
      dispatcher.dispatch(
        {
          origin: head.origin,
          path: requestPath(head, path),
          method,
          headers: headers === undefined ? base : { ...base, ...headers },
          body: body ?? null,
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        exchange,
      );
      return exchange.head;
    },
    close: () => agent.destroy(),
  };
}

function createAgent(options: UpstreamClientOptions, { http, https, none }: ProxySettings): Dispatcher {
  const { connectTimeoutMs, maxConnectionsPerOrigin } = { ...DEFAULTS, ...options };
  const settings = {
    allowH2: false,
    connections: maxConnectionsPerOrigin,
    connectTimeout: connectTimeoutMs,
    pipelining: 1,
  };
  const httpProxy = readProxy("HTTP_PROXY", http);
  const httpsProxy = readProxy("HTTPS_PROXY", https);
  if (httpProxy === "" && httpsProxy === "") return new Agent(settings);
  // Where a value is unset, the agent would read the environment itself; an empty one says that there is none.
  return new EnvHttpProxyAgent({ ...settings, httpProxy, httpsProxy, noProxy: none ?? "" });
}

/** The address of a proxy, with its scheme; empty for none. Its value may hold a password, and so no error repeats it. */
function readProxy(name: string, value = ""): string {
  if (value === "") return "";
  const address = value.includes("://") ? value : `http://${value}`;
  if (!URL.canParse(address) || !/^https?:/i.test(address)) {
    throw new Error(`${name} must be the address of a proxy with http or https, such as http://proxy.example:3128`);
  }
  return address;
}
