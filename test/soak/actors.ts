import { createRandom, type Random } from "../../src/providers/sandbox/random.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { json, type Reply, startUpstream, type Upstream, type UpstreamRequest } from "../support/upstream.ts";
import { type Deed, drawDeed, replyFor } from "./deeds.ts";
import type { Ledger, UpstreamRecord } from "./ledger.ts";

/** A provider of the soak. */
export interface Actor {
  readonly id: "alpha" | "beta" | "gamma" | "delta";
  /** Whose API it speaks. */
  readonly family: Vendor["id"];
  /** Its keys. */
  readonly keys: readonly string[];
  /** Most calls at once that the gateway may give to one of its models. */
  readonly maxInFlight: number;
}

/** The key that its provider never takes. */
const REFUSED_KEY = "soak-key-refused";

/** All providers. Each has the models "large" and "small". */
export const ACTORS: readonly Actor[] = [
  { id: "alpha", family: "openai", keys: [REFUSED_KEY, "soak-key-two", "soak-key-three"], maxInFlight: 100 },
  { id: "beta", family: "anthropic", keys: ["soak-key-one"], maxInFlight: 20 },
  { id: "gamma", family: "google", keys: ["soak-key-one", "soak-key-two"], maxInFlight: 100 },
  { id: "delta", family: "openai", keys: ["soak-key-one"], maxInFlight: 3 },
];

/** The vendor that plays it. */
export const vendorOf = ({ family }: Actor): Vendor => VENDORS.find(({ id }) => id === family) as Vendor;

/** Some seconds in which a whole provider is not well. Times are milliseconds since the start. */
interface Phase {
  readonly provider: Actor["id"];
  readonly deeds: readonly Deed[];
  readonly from: number;
  readonly to: number;
}

const BAD_TIMES: readonly (readonly Deed[])[] = [
  ["reset_before_head"],
  ["error_503", "error_500"],
  ["slow_start"],
  ["rate_limit_with_retry_after", "rate_limit"],
  ["stall_before_head"],
];

/** Draws such phases for so long a time, one after the other. */
export function drawPhases(random: Random, ms: number): readonly Phase[] {
  const phases: Phase[] = [];
  for (let at = 1_000; at < ms; ) {
    const to = at + 1_500 + random.int(3_500);
    phases.push({ provider: random.pick(ACTORS).id, deeds: random.pick(BAD_TIMES), from: at, to });
    at = to + random.int(4_000);
  }
  return phases;
}

/** The upstreams, one for each provider. */
export interface Stage {
  readonly upstreams: ReadonlyMap<Actor["id"], Upstream>;
  readonly openConnections: number;
  close(): Promise<void>;
}

/** Starts the upstreams, which do what the seed says, and write it down. */
export async function startStage(seed: string, ms: number, ledger: Ledger): Promise<Stage> {
  const startedAt = performance.now();
  const phases = drawPhases(createRandom(`${seed} phases`), ms);
  const badTimeOf = ({ id }: Actor): Phase | undefined => {
    const now = performance.now() - startedAt;
    return phases.find(({ provider, from, to }) => provider === id && from <= now && now < to);
  };
  const upstreams = new Map<Actor["id"], Upstream>();
  for (const actor of ACTORS) {
    upstreams.set(
      actor.id,
      await startUpstream((request) => answer(actor, request, badTimeOf(actor), { seed, ledger })),
    );
  }
  return {
    upstreams,
    get openConnections() {
      return [...upstreams.values()].reduce((sum, { openConnections }) => sum + openConnections, 0);
    },
    async close() {
      await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
    },
  };
}

/** Each family reads its own list out of this. */
const NO_MODELS = json({ object: "list", data: [], has_more: false, models: [] });

async function answer(
  actor: Actor,
  request: UpstreamRequest,
  badTime: Phase | undefined,
  { seed, ledger }: { readonly seed: string; readonly ledger: Ledger },
): Promise<Reply> {
  if (request.method === "GET") return NO_MODELS;
  const { body, path, headers, closed } = request;
  const call = Number(/call (\d+)/.exec(body)?.[1]);
  const target = `${actor.id}/${/\/models\/([^:/]+):/.exec(path)?.[1] ?? (JSON.parse(body) as { model: string }).model}`;
  const tries = ledger.of(call).filter((record) => record.target === target).length;
  const random = createRandom(`${seed} call ${call} at ${target}, try ${tries}`);
  const drawn = drawDeed(random);
  const deed = Object.values(headers).some((value) => String(value).endsWith(REFUSED_KEY))
    ? "error_401"
    : badTime === undefined
      ? drawn
      : random.pick(badTime.deeds);
  // Each piece says whose it is and which one it is, so that no mix and no gap can be taken for an answer.
  const mark = `${target}#${call}.${tries}`;
  const count = 3 + random.int(18);
  const pieces = Array.from({ length: count }, (_, at) => `${mark} ${at + 1}/${count}; `);
  const text = pieces.join("");
  const record: UpstreamRecord = {
    call,
    target,
    deed,
    text,
    startedAt: performance.now(),
    saidAt: undefined,
    endedAt: undefined,
    wasLeft: false,
  };
  ledger.add(record);
  void closed.then((at) => {
    if (record.endedAt !== undefined) return;
    record.endedAt = at;
    record.wasLeft = true;
  });
  const vendor = vendorOf(actor);
  const streaming = path.includes("stream") || body.includes('"stream":true');
  return watched(await replyFor(deed, { vendor, streaming, pieces, random }), record);
}

/** Writes down when the reply comes to its text, and when all of it is said. */
function watched(reply: Reply, record: UpstreamRecord): Reply {
  async function* pieces(): AsyncGenerator<string | Uint8Array> {
    for await (const piece of reply.pieces ?? []) {
      if (typeof piece === "string" && piece.includes("#")) record.saidAt ??= performance.now();
      yield piece;
    }
    if (reply.ending !== "hold") record.endedAt ??= performance.now();
  }
  return { ...reply, pieces: pieces() };
}
