import http from "node:http";
import net from "node:net";
import type { Address } from "../lib/address.ts";
import { MAX_TIMER_MS } from "../lib/sleep.ts";
import type { Connections } from "./connections.ts";
import type { Exchanges } from "./exchanges.ts";
import { type Port, TCP_KEEP_ALIVE_MS } from "./listen.ts";
import type { ConnectionSource } from "./options.ts";
import type { Sessions } from "./sessions.ts";

/** The parts of a running server that know of open sockets. */
export interface Closable {
  readonly port: Port;
  readonly source: ConnectionSource | undefined;
  readonly connections: Connections;
  readonly exchanges: Exchanges;
  readonly sessions: Sessions;
}

/** Starts listening; resolves with the address that was taken. Rejects with Node's error, which names the address. */
export function listen(listener: net.Server, host: string, port: number): Promise<{ host: string; port: number }> {
  return new Promise((resolve, reject) => {
    listener.once("error", reject);
    listener.listen({ host, port }, () => {
      listener.off("error", reject);
      // Accepting one connection failed; that client is told by the system, and the others are served.
      listener.on("error", () => undefined);
      const bound = listener.address() as net.AddressInfo;
      resolve({ host: bound.address, port: bound.port });
    });
  });
}

/** Serves the connections of a source, as if they had been accepted here. */
export function receive(listener: net.Server, source: ConnectionSource): Address {
  // With this, and not with its first connection, Node begins to time the requests of a server.
  listener.emit("listening");
  source.open((socket) => {
    // What a server for HTTP/1.1 does with those that it accepts: see listen.ts.
    socket.allowHalfOpen = listener instanceof http.Server;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    listener.emit("connection", socket);
  });
  return source.address;
}

/**
 * Makes the function that ends a server. It stops accepting, closes what is idle, lets open exchanges finish and their
 * connections end with them; after `graceMs` it destroys what is left. Its promise resolves when every socket is gone. A second
 * call joins the first, and can only shorten its grace.
 */
export function createClose({
  port,
  source,
  connections,
  exchanges,
  sessions,
}: Closable): (graceMs: number) => Promise<void> {
  const { listener } = port;
  let closed: Promise<void> | undefined;

  const begin = async (): Promise<void> => {
    source?.close();
    // Not the listener's own close(): that would also stop timing slow requests, and end HTTP/2 sessions without warning.
    const stopped = new Promise<void>((resolve) => {
      net.Server.prototype.close.call(listener, () => resolve());
    });
    connections.dropUnspoken();
    exchanges.finish();
    listener.closeIdleConnections();
    sessions.finish();
    await stopped; // Node counts a socket as gone a moment before the socket says so.
    await connections.emptied();
    listener.close(); // Releases Node's timer.
  };

  return (graceMs) => {
    closed ??= begin();
    const timer = setTimeout(() => connections.dropAll(), Math.min(Math.max(0, graceMs), MAX_TIMER_MS));
    return closed.finally(() => clearTimeout(timer));
  };
}
