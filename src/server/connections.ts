import type { Socket } from "node:net";
import { LINGER_MS } from "./refuse.ts";

/** The far end of a connection. The sockets that TLS and HTTP/2 show are not the accepted ones, but have the same far end. */
export type Peer = Pick<Socket, "remoteAddress" | "remotePort">;

/** The accepted TCP connections. */
export interface Connections {
  readonly size: number;
  /** Takes in a connection as it is accepted. */
  add(socket: Socket): void;
  /** Notes that the client has said something complete: a request, or an HTTP/2 preface. */
  spoke(peer: Peer): void;
  /** Destroys the connections whose client has not said anything complete yet, TLS handshakes included. */
  dropUnspoken(): void;
  /** Destroys the connection to that peer in LINGER_MS, unless it is gone by then. */
  hangUp(peer: Peer): void;
  dropAll(): void;
  /** Resolves when there is no connection, at once if there is none now. */
  emptied(): Promise<void>;
}

const keyOf = ({ remoteAddress, remotePort }: Peer): string => `${remoteAddress} ${remotePort}`;

/** Makes an empty set of connections. */
export function createConnections(): Connections {
  const open = new Map<Socket, string>();
  const byPeer = new Map<string, Socket>();
  const unspoken = new Set<Socket>();
  const waiting = new Set<() => void>();

  return {
    get size() {
      return open.size;
    },
    add(socket) {
      const key = keyOf(socket);
      open.set(socket, key);
      byPeer.set(key, socket);
      unspoken.add(socket);
      socket.once("close", () => {
        open.delete(socket);
        unspoken.delete(socket);
        // The client may have used its port again before this close was noticed.
        if (byPeer.get(key) === socket) byPeer.delete(key);
        if (open.size > 0) return;
        for (const resolve of waiting) resolve();
        waiting.clear();
      });
    },
    spoke(peer) {
      const socket = byPeer.get(keyOf(peer));
      if (socket !== undefined) unspoken.delete(socket);
    },
    dropUnspoken() {
      for (const socket of unspoken) socket.destroy();
    },
    hangUp(peer) {
      const socket = byPeer.get(keyOf(peer));
      if (socket === undefined) return;
      const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
      socket.once("close", () => clearTimeout(timer));
    },
    dropAll() {
      for (const socket of open.keys()) socket.destroy();
    },
    emptied() {
      if (open.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.add(resolve);
      });
    },
  };
}
