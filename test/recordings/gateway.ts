import { afterAll, beforeAll, expect } from "vitest";
import { type RunningGateway, startGateway } from "../../src/compose.ts";
import { DOORS, type DoorClient, openDoor } from "../support/doors.ts";
import { everyFailure } from "../support/gateway.ts";
import { loadSettings } from "../support/load-settings.ts";
import { type ReplayServer, startReplayServer } from "../support/replay-server.ts";
import type { Recording } from "./recordings.ts";

/** The providers of a gateway whose every family is played by a replay server. */
const providersAt = ({ baseUrl }: ReplayServer): object[] => [
  { id: "openai", openai_compatible: { base_url: baseUrl("openai"), api_key: "key-of-the-gateway", vendor: "openai" } },
  { id: "compatible", openai_compatible: { base_url: baseUrl("compatible"), api_key: "key-of-the-gateway" } },
  { id: "anthropic", anthropic: { base_url: baseUrl("anthropic"), api_key: "key-of-the-gateway" } },
  { id: "google", google: { base_url: baseUrl("google"), api_key: "key-of-the-gateway" } },
];

/** A gateway in front of recordings, for the tests of a file, with a client of each door. At its end no call must be open. */
export function useReplay(recordings: readonly Recording[]): {
  replay(): ReplayServer;
  url(): string;
  door(name: DoorClient["name"]): DoorClient;
} {
  let replay: ReplayServer;
  let gateway: RunningGateway;
  let doors: Map<string, DoorClient>;
  beforeAll(async () => {
    replay = await startReplayServer(recordings);
    const settings = await loadSettings(
      { request_log: { enabled: false }, providers: providersAt(replay) },
      { PARLEY_LOG_LEVEL: "silent" },
    );
    gateway = await startGateway({ ...settings, routing: everyFailure(settings.routing) });
    doors = new Map(DOORS.map((name) => [name, openDoor(name, gateway.url)]));
  });
  afterAll(async () => {
    for (const door of doors.values()) door.close();
    const { openCalls } = gateway;
    await gateway.stop();
    await replay.close();
    expect(openCalls).toBe(0);
  });
  return { replay: () => replay, url: () => gateway.url, door: (name) => doors.get(name) as DoorClient };
}
