import { afterAll, afterEach, beforeAll, expect, onTestFinished } from "vitest";
import type { Candidate } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { until } from "./collect.ts";
import { DOORS, type DoorClient, openDoor, type Params } from "./doors.ts";
import { type SettingsChange, startTestGateway, type TestGateway } from "./gateway.ts";
import { ROUTING } from "./routing.ts";
import type { Vendor } from "./stage-vendors.ts";
import { openTyped } from "./typed-doors.ts";
import { eventStream, json, type Reply, startUpstream, type UpstreamRequest } from "./upstream.ts";
import { PROMPT, SECRET_WORDS } from "./vendor-stage.ts";

/** A provider with an upstream of its own. */
export interface Player {
  readonly vendor: Vendor;
  /** The vendor's own by default. */
  readonly id?: string;
  /** Further keys. */
  readonly keys?: readonly string[];
  readonly concurrency?: { readonly max_in_flight?: number; readonly max_queue?: number };
  /** What it lists; nothing by default. */
  readonly list?: object;
}

/** What a provider does with a call. */
export type Script = (request: UpstreamRequest) => Reply | Promise<Reply>;

/** A provider as the tests see it. */
export interface PlayedProvider {
  readonly id: string;
  readonly vendor: Vendor;
  /** The calls that it got, without requests for its list. */
  readonly calls: readonly UpstreamRequest[];
  /** The call of that number, from 0; waits until it is there. */
  call(index: number): Promise<UpstreamRequest>;
  /** How many connections to it are open. */
  readonly openConnections: number;
  /** Says what calls are answered with from now on; unset: with `answerOf` it. */
  plays(script?: Script): void;
}

/** A gateway with the defaults of routing, before providers that are played. */
export interface RoutingStage {
  readonly gateway: TestGateway;
  readonly doors: readonly DoorClient[];
  door(name: DoorClient["name"]): DoorClient;
  provider(id: string): PlayedProvider;
  /** A name of a model that no call has had: nothing is known of its targets. */
  newModel(): string;
  close(): Promise<void>;
}

/** Every door, with whole calls and streams. */
export const MODES = DOORS.flatMap((name) =>
  [false, true].map((streaming) => ({ name, streaming, mode: `${name}, ${streaming ? "a stream" : "a whole call"}` })),
);

const NO_MODELS = { object: "list", data: [], has_more: false, models: [] };

/** Whether a call wants its answer piece by piece. */
export const isStreamed = ({ path, body }: UpstreamRequest): boolean =>
  path.includes(":stream") || (JSON.parse(body) as { stream?: boolean }).stream === true;

/** The answer of a vendor that says this, whole or streamed, as it was asked for. */
export const saying =
  (vendor: Vendor, text: string): Script =>
  (request) =>
    isStreamed(request)
      ? eventStream([...vendor.opening, vendor.said(text), ...vendor.ending])
      : json(vendor.whole(text));

/** Parameters of a call of these words. */
export const asking = (model: string, more: Params = {}): Params => ({
  model,
  messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: PROMPT } }] }],
  ...more,
});

/** The provider's answer, where a test says nothing else. */
export const answerOf = (id: string): string => `answer of ${id}`;

async function startPlayer({ vendor, id = vendor.id, keys = [], concurrency, list = NO_MODELS }: Player) {
  const answers = saying(vendor, answerOf(id));
  let script = answers;
  const upstream = await startUpstream((request) => (request.method === "GET" ? json(list) : script(request)));
  const { id: _, ...sections } = vendor.settings(upstream.url) as Record<string, object>;
  const settings = {
    id,
    ...Object.fromEntries(Object.entries(sections).map(([name, it]) => [name, { ...it, api_keys: keys }])),
    ...(concurrency === undefined ? {} : { concurrency }),
  };
  const calls = (): UpstreamRequest[] => upstream.requests.filter(({ method }) => method !== "GET");
  const provider: PlayedProvider = {
    id,
    vendor,
    get calls() {
      return calls();
    },
    async call(index) {
      await until(() => calls().length > index, `call ${index} of ${id}`);
      return calls()[index] as UpstreamRequest;
    },
    get openConnections() {
      return upstream.openConnections;
    },
    plays(next = answers) {
      script = next;
    },
  };
  return { provider, settings, upstream };
}

/** Whether the gateway knows what the players list. */
async function areListed({ url }: TestGateway, players: readonly Player[]): Promise<boolean> {
  const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: readonly { owned_by: string }[] };
  const owners = new Set(data.map(({ owned_by: owner }) => owner));
  return players.every(({ vendor, id = vendor.id, list }) => list === undefined || owners.has(id));
}

/** Starts such a gateway. */
export async function openRoutingStage(players: readonly Player[], change: SettingsChange = {}): Promise<RoutingStage> {
  const played = await Promise.all(players.map(startPlayer));
  const gateway = await startTestGateway({
    ...change,
    routing: { ...ROUTING, ...change.routing },
    providers: played.map(({ settings }) => settings),
  });
  const doors = new Map(DOORS.map((name) => [name, openDoor(name, gateway.url)]));
  const providers = new Map(played.map(({ provider }) => [provider.id, provider]));
  await until(() => areListed(gateway, players), "the lists of models are there");
  let models = 0;
  return {
    gateway,
    doors: [...doors.values()],
    door: (name) => doors.get(name) as DoorClient,
    provider: (id) => providers.get(id) as PlayedProvider,
    newModel: () => `m${models++}`,
    async close() {
      for (const door of doors.values()) door.close();
      await gateway.stop();
      await Promise.all(played.map(({ upstream }) => upstream.close()));
    },
  };
}

/** Such a gateway for one test. At its end no call may be open, and no secret in the log. */
export async function stageForTest(players: readonly Player[], change?: SettingsChange): Promise<RoutingStage> {
  const stage = await openRoutingStage(players, change);
  onTestFinished(async () => {
    try {
      await expectQuiet(stage, players);
    } finally {
      await stage.close();
    }
  });
  return stage;
}

/** Such a gateway for the tests of a `describe`. After each of them no call may be open, and no secret in the log. */
export function useRoutingStage(players: readonly Player[], change: SettingsChange = {}): () => RoutingStage {
  let stage: RoutingStage;
  beforeAll(async () => {
    stage = await openRoutingStage(players, change);
  });
  afterEach(() => expectQuiet(stage, players));
  afterAll(() => stage.close());
  return () => stage;
}

/** Expects that no call is open, and that no secret was logged. */
async function expectQuiet({ gateway }: RoutingStage, players: readonly Player[]): Promise<void> {
  await until(() => gateway.openCalls === 0, "no open call");
  const logged = JSON.stringify(gateway.lines);
  const keys = players.flatMap(({ vendor, keys: further = [] }) => [vendor.key, ...further]);
  for (const secret of [PROMPT, SECRET_WORDS, ...keys]) expect(logged).not.toContain(secret);
}

/** What an explanation says of a call's targets now. `asked`: the model, or the whole call. */
export async function candidatesOf(
  { gateway }: RoutingStage,
  asked: string | Params,
  fallbackModels: readonly string[] = [],
): Promise<readonly Candidate[]> {
  const { chat, close } = openTyped("connect", gateway.url);
  try {
    const params = typeof asked === "string" ? asking(asked) : asked;
    const options = { fallbackModels: [...fallbackModels] };
    return (await chat.explainChatCompletion({ params, options })).candidates;
  } finally {
    close();
  }
}
