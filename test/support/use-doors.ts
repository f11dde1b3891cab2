import { afterAll, beforeAll, expect } from "vitest";
import { DOORS, type DoorClient, openDoor } from "./doors.ts";
import { type SettingsChange, startTestGateway, type TestGateway } from "./gateway.ts";

/** A gateway for the tests of a `describe`, with a client of each door. At its end no call must be open. */
export function useDoors(change: SettingsChange = {}): {
  readonly doors: readonly DoorClient[];
  gateway(): TestGateway;
} {
  let gateway: TestGateway;
  const doors: DoorClient[] = [];
  beforeAll(async () => {
    gateway = await startTestGateway(change);
    doors.push(...DOORS.map((name) => openDoor(name, gateway.url)));
  });
  afterAll(async () => {
    for (const door of doors) door.close();
    await gateway.stop();
    expect([gateway.openCalls, gateway.openConnections]).toEqual([0, 0]);
  });
  return { doors, gateway: () => gateway };
}
