import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Address } from "../lib/address.ts";

/** A worker that takes connections. */
export interface Taker {
  /** Gives it a connection under a number, by which it tells that it has it. */
  give(id: number, socket: Socket): void;
}

/** The port of all workers. Each connection that is accepted goes to one of them, and stays there. */
export interface FrontDoor {
  /** What was taken of the system. */
  readonly address: Address;
  /** Gives connections to a worker from now on; those that wait because there was none are the first. */
  open(taker: Taker): void;
  /** The worker has the connection. */
  taken(taker: Taker, id: number): void;
  /** A connection that the worker had is closed. */
  closed(taker: Taker): void;
  /** The worker takes no more. What it was given and had not taken goes to others. */
  remove(taker: Taker): void;
  /** Changes how many connections there may be; the next one is closed as it comes. */
  change(maxConnections: number): void;
  /** Accepts no more, and closes what no worker has taken. */
  close(): void;
}

/** How it stands with a worker. */
interface Load {
  /** Connections that it was given and has not taken. */
  readonly given: Map<number, Socket>;
  /** Connections that it has. */
  open: number;
}

/** Listens. Rejects with Node's error where the address can't be taken. */
export async function openFrontDoor({ host, port }: Address, maxConnections: number): Promise<FrontDoor> {
  const loads = new Map<Taker, Load>();
  let waiting: Socket[] = [];
  let most = maxConnections;
  let lastId = 0;

  const count = (): number =>
    [...loads.values()].reduce((sum, { given, open }) => sum + given.size + open, waiting.length);

  const give = (socket: Socket): void => {
    const best = leastLoaded(loads);
    if (best === undefined) {
      waiting.push(socket);
      return;
    }
    const [taker, load] = best;
    const id = ++lastId;
    load.given.set(id, socket);
    // Whoever was given one is asked last among those that have as many.
    loads.delete(taker);
    loads.set(taker, load);
    taker.give(id, socket);
  };
  const giveWaiting = (): void => {
    const sockets = waiting;
    waiting = [];
    for (const socket of sockets) give(socket);
  };

  // Nothing is read here: all bytes are left to the worker.
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on("error", () => undefined);
    if (count() >= most) socket.destroy();
    else give(socket);
  });
  server.listen({ host, port });
  await once(server, "listening");
  // Accepting one connection failed; that client is told by the system, and the others are served.
  server.on("error", () => undefined);
  const bound = server.address() as AddressInfo;

  return {
    address: { host: bound.address, port: bound.port },
    open(taker) {
      loads.set(taker, { given: new Map(), open: 0 });
      giveWaiting();
    },
    taken(taker, id) {
      const load = loads.get(taker);
      const socket = load?.given.get(id);
      if (load === undefined || socket === undefined) return;
      load.given.delete(id);
      load.open += 1;
      // The worker has its own hold of the connection, which goes on.
      socket.destroy();
    },
    closed(taker) {
      const load = loads.get(taker);
      if (load !== undefined) load.open -= 1;
    },
    remove(taker) {
      const load = loads.get(taker);
      loads.delete(taker);
      for (const socket of load?.given.values() ?? []) give(socket);
    },
    change(next) {
      most = next;
    },
    close() {
      server.close();
      for (const socket of waiting) socket.destroy();
      for (const { given } of loads.values()) for (const socket of given.values()) socket.destroy();
    },
  };
}

/** The worker that has taken what it was given before the others, has fewest connections, and was not given one for longest. */
function leastLoaded(loads: ReadonlyMap<Taker, Load>): [Taker, Load] | undefined {
  let best: [Taker, Load] | undefined;
  for (const entry of loads) if (best === undefined || isLess(entry[1], best[1])) best = entry;
  return best;
}

const isLess = (a: Load, b: Load): boolean =>
  a.given.size < b.given.size || (a.given.size === b.given.size && a.open < b.open);
