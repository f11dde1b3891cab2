/**
 * One TCP port for every door: HTTP/1.1 and HTTP/2 with prior knowledge, or both by ALPN under TLS. This folder knows sockets,
 * their limits and their end; what is asked, health included, is the handler's.
 */

import { createConnections } from "./connections.ts";
import { createExchanges } from "./exchanges.ts";
import { createClose, listen, receive } from "./lifecycle.ts";
import { changePort, createPort } from "./listen.ts";
import { completeServerOptions, type GivenServerOptions, type ServerChange } from "./options.ts";
import { createRefuser } from "./refuse.ts";
import { serveRequests } from "./requests.ts";
import { createSessions } from "./sessions.ts";
import { formatUrl } from "./url.ts";

/** A server that listens. */
export interface RunningServer {
  /** The address that was taken, and a URL at which this machine can call it. */
  readonly address: { readonly host: string; readonly port: number; readonly url: string };
  /** TCP connections that are open now. */
  readonly openConnections: number;
  /**
   * Changes the server while it listens; connections that are open stay. Throws if key and certificate cannot be used, and a
   * RangeError for what is out of bounds; then nothing has changed.
   */
  change(change: ServerChange): void;
  /**
   * Stops accepting, closes idle connections and sends GOAWAY; answers that are being written go on, and their connections end
   * with them. After `graceMs` milliseconds it destroys what is left. Resolves when every socket is gone. Can be called again:
   * the end is the same one, and a shorter grace counts.
   */
  close(graceMs: number): Promise<void>;
}

/**
 * Listens and serves. Options that are left out take SERVER_DEFAULTS. Rejects with a RangeError for an option out of bounds, and
 * with Node's error (`EADDRINUSE`, `EACCES`, `ENOTFOUND`) where the address cannot be taken.
 */
export async function startServer(given: GivenServerOptions): Promise<RunningServer> {
  const options = completeServerOptions(given);
  const refuse = createRefuser(options.onRefusal);
  const port = createPort(options, refuse);
  const connections = createConnections();
  const exchanges = createExchanges();
  const sessions = createSessions(options, connections);

  port.listener.on("connection", connections.add);
  port.http2.on("session", sessions.add);
  serveRequests(port, options, { refuse, exchanges, connections });

  const { host, port: number, source } = options;
  const bound = source === undefined ? await listen(port.listener, host, number) : receive(port.listener, source);
  return {
    address: { ...bound, url: formatUrl(options.tls === undefined ? "http" : "https", bound) },
    get openConnections() {
      return connections.size;
    },
    change({ tls, ...bounds }) {
      completeServerOptions({ ...options, ...bounds });
      changePort(port, { tls, ...bounds });
      // The parts of the server read them off the options when they need them.
      Object.assign(options, bounds);
    },
    close: createClose({ port, source, connections, exchanges, sessions }),
  };
}
