import { callOf, closedLoad, type Door } from "./calls.ts";
import { type Child, startChild } from "./child.ts";
import type { Effort } from "./effort.ts";
import type {
  ClosedLoad,
  ClosedResult,
  CloseLoad,
  Load,
  OpenLoad,
  OpenResult,
  TurnsLoad,
  TurnsResult,
} from "./load/load.ts";
import { SHAPES, type ShapeName } from "./requests.ts";
import { startGateway } from "./servers/gateway.ts";
import { peerHeaders, startPeer } from "./servers/peer.ts";
import type { Server } from "./servers/program.ts";

/** A server that is measured. */
export type ServerName = "gateway" | "bare" | "grpc-js" | "grpc-js-proxy" | "peer";

/** The processes of a bench: an upstream, a load client, and the servers between them. */
export interface Stage {
  readonly effort: Effort;
  readonly upstreamPort: number;
  /** Whether there is a peer to be measured, too. */
  readonly hasPeer: boolean;
  /** The server of that name that all cases share. It is started when it is first asked for. */
  server(name: ServerName): Promise<Server>;
  /** Has a server answer calls until they cost what they always will, unless it has before. */
  warmUp(name: ServerName, door: Door, shape: ShapeName): Promise<void>;
  /** Starts another server of that name for one's own use; the gateway with a probe. */
  startFresh(name: ServerName): Promise<Server>;
  /** Has the load client make calls, and returns what came of them. One load at a time. */
  run(load: ClosedLoad): Promise<ClosedResult>;
  run(load: TurnsLoad): Promise<TurnsResult>;
  run(load: OpenLoad): Promise<OpenResult>;
  run(load: CloseLoad): Promise<void>;
  /** Headers that a server needs besides those of all calls. */
  headersOf(name: ServerName): Readonly<Record<string, string>>;
  end(): Promise<void>;
}

/** Starts upstream and load client. `peer`: the folder that the peer is installed in. */
export async function openStage(effort: Effort, peer?: string): Promise<Stage> {
  const running: Pick<Child, "end">[] = [];
  const shared = new Map<ServerName, Promise<Server>>();
  const warm = new Set<string>();
  const keep = <T extends Pick<Child, "end">>(it: T): T => {
    running.unshift(it);
    return it;
  };
  const end = async (): Promise<void> => {
    for (const each of running) await each.end();
  };
  const upstream = keep(await startChild("servers/mock-upstream.ts", { place: "upstream" }));
  const client = keep(await startChild("load/load-process.ts", { place: "load" }));
  const upstreamPort = (await upstream.ask("port")) as number;

  const startFile = async (file: string): Promise<Server> => {
    const child = await startChild(file, { place: "server", args: [String(upstreamPort)] });
    return { ...child, port: (await child.ask("port")) as number };
  };
  const starters: Readonly<Record<ServerName, (isProbed: boolean) => Promise<Server>>> = {
    gateway: (isProbed) => startGateway(upstreamPort, { isProbed }),
    bare: () => startFile("servers/bare-proxy.ts"),
    "grpc-js": () => startFile("servers/grpc-js-server.ts"),
    "grpc-js-proxy": () => startFile("servers/grpc-js-proxy.ts"),
    peer: () => startPeer(peer ?? ""),
  };
  const stage: Stage = {
    effort,
    upstreamPort,
    hasPeer: peer !== undefined,
    server(name) {
      const known = shared.get(name) ?? starters[name](effort.profile !== undefined).then(keep);
      shared.set(name, known);
      return known;
    },
    async warmUp(name, door, shape) {
      const key = `${name} ${door} ${shape}`;
      if (warm.has(key)) return;
      warm.add(key);
      await warmUpServer(stage, await stage.server(name), name, door, shape);
    },
    startFresh: async (name) => keep(await starters[name](true)),
    run: (load: Load) => client.ask(load) as Promise<never>,
    headersOf: (name) => (name === "peer" ? peerHeaders(upstreamPort) : {}),
    end,
  };
  return stage;
}

/** A stream with more has most of its work in them. */
const MANY_CHUNKS = 10;

/** Makes as many calls as it takes; of streams with many chunks a tenth as many. */
export async function warmUpServer(
  stage: Stage,
  { port }: Server,
  name: ServerName,
  door: Door,
  shape: ShapeName,
): Promise<void> {
  const call = callOf(door, shape, port);
  const calls = Math.ceil(stage.effort.warmUpCalls / (SHAPES[shape].marks > MANY_CHUNKS ? 10 : 1));
  await stage.run(closedLoad(door, { ...call, headers: { ...call.headers, ...stage.headersOf(name) } }, { calls }));
}
