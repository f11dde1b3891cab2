import net from "node:net";
import { MAX_TIMER_MS } from "../lib/sleep.ts";
import type { Connections } from "./connections.ts";
import type { Exchanges } from "./exchanges.ts";
import type { Port } from "./listen.ts";
import type { Sessions } from "./sessions.ts";

/** The parts of a running server that know of open sockets. */
export interface Closable {
  readonly port: Port;
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

/**
 * Makes the function that ends a server. It stops accepting, closes what is idle, lets open exchanges finish and their
 * connections end with them; after `graceMs` it destroys what is left. Its promise resolves when every socket is gone. A second
 * call joins the first, and can only shorten its grace.
 */
export function createClose({ port, connections, exchanges, sessions }: Closable): (graceMs: number) => Promise<void> {
  const { listener } = port;
  let closed: Promise<void> | undefined;

  const begin = async (): Promise<void> => {
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
