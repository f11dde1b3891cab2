import { defineScripts, SCRIPTS } from "./redis-scripts.ts";

/** How a Redis is reached. */
export interface RedisClientOptions {
  readonly redis: typeof import("redis");
  readonly url: string;
  /** Longest time that a connection may take. */
  readonly connectMs: number;
  /** Is told when a connection is lost, or fails; perhaps several times. */
  readonly lost: (error: Error) => void;
}

/** A Redis on its way to be reached. */
export interface Connecting {
  /** The client, once it is connected. */
  readonly client: Promise<ScriptedClient>;
  /** Ends all connections at once. */
  destroy(): void;
}

/** A client with the scripts, be it of one server or of a cluster. */
export type ScriptedClient = Pick<ServerClient, "reserve" | "look" | "settle" | "renew" | "beat" | "leave"> & {
  /**
   * Sends all scripts to every server that writes. Otherwise the first use of one is refused and sent again, behind what was sent after
   * it: a settle would come after the next reserve.
   */
  load(): Promise<void>;
};

type ServerClient = ReturnType<typeof createServerClient>;
type ClusterClient = ReturnType<typeof createClusterClient>;

/** Connects to the server of an address; where that is one of a cluster, to all of them that write. */
export function connectRedis(options: RedisClientOptions): Connecting {
  let current: ServerClient | ClusterClient | undefined;
  let isDestroyed = false;

  function use<C extends ServerClient | ClusterClient>(client: C): C {
    // What the first server says when it is let go, for its cluster, is nobody's loss.
    const lost = (error: Error): void => {
      if (current === client) options.lost(error);
    };
    client.on("error", lost);
    client.on("end", () => lost(new Error("the connection was closed")));
    current = client;
    return client;
  }

  async function connect(): Promise<ScriptedClient> {
    const server = use(createServerClient(options));
    await server.connect();
    if (!(await isOfCluster(server))) return scripted(server, () => [server]);
    if (isDestroyed) throw new Error("the connection was given up");
    const cluster = use(createClusterClient(options));
    server.destroy();
    await cluster.connect();
    return scripted(cluster, () => cluster.masters.map((master) => cluster.nodeClient(master)));
  }

  return {
    client: connect(),
    destroy() {
      isDestroyed = true;
      const client = current;
      current = undefined;
      client?.destroy();
    },
  };
}

/** What loads a script into one server. */
type Loader = Pick<ServerClient, "scriptLoad">;

const scripted = (
  client: ServerClient | ClusterClient,
  writers: () => readonly (Loader | Promise<Loader>)[],
): ScriptedClient => ({
  reserve: (...args) => client.reserve(...args),
  look: (...args) => client.look(...args),
  settle: (...args) => client.settle(...args),
  renew: (...args) => client.renew(...args),
  beat: (...args) => client.beat(...args),
  leave: (...args) => client.leave(...args),
  async load() {
    await Promise.all(
      writers().map(async (writer) => {
        const server = await writer;
        await Promise.all(SCRIPTS.map((script) => server.scriptLoad(script)));
      }),
    );
  },
});

async function isOfCluster(server: ServerClient): Promise<boolean> {
  try {
    return /^cluster_enabled:1/m.test(await server.info("cluster"));
  } catch {
    return false; // Not every user and proxy may ask.
  }
}

/** What holds for each connection. */
const connectionOptions = (connectMs: number) => ({
  disableClientInfo: true,
  disableOfflineQueue: true,
  socket: { connectTimeout: connectMs, reconnectStrategy: false as const },
});

/** What holds for each client. */
const clientOptions = (redis: typeof import("redis")) => ({
  // Nothing here needs the newer protocol, and not every server and proxy has it.
  RESP: 2 as const,
  // Its time limit ends when a command is written. redis-link.ts has one until it is answered, and without a timer for each.
  commandOptions: { timeout: 0 },
  scripts: defineScripts(redis),
});

const createServerClient = ({ redis, url, connectMs }: RedisClientOptions) =>
  redis.createClient({ ...clientOptions(redis), ...connectionOptions(connectMs), url });

function createClusterClient({ redis, url, connectMs }: RedisClientOptions) {
  const { username, password, protocol } = new URL(url);
  const { socket, ...connection } = connectionOptions(connectMs);
  return redis.createCluster({
    ...clientOptions(redis),
    rootNodes: [{ url }],
    // The other servers are reached in the same way.
    defaults: {
      ...connection,
      ...(username === "" ? {} : { username: decodeURIComponent(username) }),
      ...(password === "" ? {} : { password: decodeURIComponent(password) }),
      socket: protocol === "rediss:" ? { ...socket, tls: true } : socket,
    },
  });
}
