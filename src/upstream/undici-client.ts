import { type Dispatcher, EnvHttpProxyAgent, Pool } from "undici";
import type { ProxySettings } from "../config/settings.ts";
import type { Endpoint } from "../providers/provider.ts";
import type { UpstreamClient } from "./client.ts";
import { Exchange } from "./exchange.ts";
import { type EndpointHead, HeaderLists, readEndpoint, requestPath } from "./request-head.ts";

/** How the way to providers is taken. */
export interface UpstreamClientOptions {
  /** What every request says of its sender: "parley/1.0.0". */
  readonly userAgent: string;
  /** Proxies; unset: none. */
  readonly proxies?: Partial<ProxySettings>;
  /** For a connection, with its TLS, to come about; 10,000 ms by default. */
  readonly connectTimeoutMs?: number;
  /** Most connections to one provider, and so most calls to it at once: further ones wait. 10,000 by default. */
  readonly maxConnectionsPerOrigin?: number;
}

const DEFAULTS = { connectTimeoutMs: 10_000, maxConnectionsPerOrigin: 10_000 };

/**
 * Makes a client that keeps a pool of connections to each provider. A connection carries one call at a time, on HTTP/1.1: to end a
 * call is to close its connection, which every server understands. It is kept for 4 s, or as long as the server says. How long
 * an answer may take is the caller's business, by the signal.
 */
export function createUpstreamClient(options: UpstreamClientOptions): UpstreamClient {
  const { userAgent } = options;
  const dispatchers = createDispatchers(options);
  const ways = new WeakMap<Endpoint, Way>();
  const wayTo = (endpoint: Endpoint): Way => {
    let way = ways.get(endpoint);
    if (way === undefined) {
      const head = readEndpoint(endpoint, userAgent);
      way = { head, headers: new HeaderLists(head), dispatcher: dispatchers.to(head.origin) };
      ways.set(endpoint, way);
    }
    return way;
  };

  return {
    // No async function: a promise that it returns is waited for in three steps.
    request({ id, endpoint }, sent, signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      const { head, headers, dispatcher } = wayTo(endpoint);
      const exchange = new Exchange(id, signal);
      dispatcher.dispatch(
        {
          origin: head.origin,
          path: requestPath(head, sent.path),
          method: sent.method,
          headers: headers.of(sent),
          body: sent.body ?? null,
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        exchange,
      );
      return exchange.head;
    },
    close: () => dispatchers.destroy(),
  };
}

/** How an endpoint is reached. */
interface Way {
  readonly head: EndpointHead;
  readonly headers: HeaderLists;
  readonly dispatcher: Dispatcher;
}

/** What requests to origins are given to. */
interface Dispatchers {
  to(origin: string): Dispatcher;
  destroy(): Promise<void>;
}

function createDispatchers({ proxies, ...options }: UpstreamClientOptions): Dispatchers {
  const { connectTimeoutMs, maxConnectionsPerOrigin } = { ...DEFAULTS, ...options };
  const settings = {
    allowH2: false,
    connections: maxConnectionsPerOrigin,
    connectTimeout: connectTimeoutMs,
    pipelining: 1,
  };
  const { http: httpProxy = "", https: httpsProxy = "", none: noProxy = "" } = proxies ?? {};
  if (httpProxy !== "" || httpsProxy !== "") {
    // Where a value is unset, the agent would read the environment itself; an empty one says that there is none.
    const agent = new EnvHttpProxyAgent({ ...settings, httpProxy, httpsProxy, noProxy });
    return { to: () => agent, destroy: () => agent.destroy() };
  }
  const pools = new Map<string, Pool>();
  let isDestroyed = false;
  return {
    to(origin) {
      let pool = pools.get(origin);
      if (pool === undefined) {
        pool = new Pool(origin, settings);
        if (isDestroyed) void pool.destroy();
        pools.set(origin, pool);
      }
      return pool;
    },
    async destroy() {
      isDestroyed = true;
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}
