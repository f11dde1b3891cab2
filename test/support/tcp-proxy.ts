import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * What a proxy does. "pass": what it should; "mute": what clients say arrives, and they hear nothing; "hold": nothing arrives, on
 * either side; "refuse": it hangs up.
 */
export type ProxyMode = "pass" | "mute" | "hold" | "refuse";

/** A TCP proxy that can fail in the ways in which networks and servers do. */
export interface TcpProxy {
  readonly port: number;
  /** Connections that clients have made, so far. */
  readonly connections: number;
  /** Changes what it does, for the connections that there are as well; and to which port of this machine it leads. */
  turn(mode: ProxyMode, target?: number): void;
  close(): Promise<void>;
}

/** Starts one, which leads to a port of this machine. */
export async function startTcpProxy(firstTarget: number): Promise<TcpProxy> {
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>();
  let target = firstTarget;
  let mode: ProxyMode = "pass";
  let connections = 0;

  const listener = createServer((client) => {
    connections += 1;
    const server = connect(target, "127.0.0.1");
    const pair = { client, server };
    pairs.add(pair);
    const end = (): void => {
      client.destroy();
      server.destroy();
      pairs.delete(pair);
    };
    for (const socket of [client, server]) socket.on("error", end).on("close", end);
    client.on("data", (chunk) => server.write(chunk));
    server.on("data", (chunk) => client.write(chunk));
    apply(pair);
  });

  function apply({ client, server }: { readonly client: Socket; readonly server: Socket }): void {
    if (mode === "refuse") client.destroy();
    if (mode === "hold") client.pause();
    else client.resume();
    if (mode === "hold" || mode === "mute") server.pause();
    else server.resume();
  }

  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    turn(to, port = target) {
      mode = to;
      target = port;
      for (const pair of pairs) apply(pair);
    },
    async close() {
      for (const { client } of pairs) client.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}
