import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type FrontDoor, openFrontDoor, type Taker } from "../../src/workers/front-door.ts";

/** A worker that only notes what it is given. */
interface TestTaker extends Taker {
  readonly given: number[];
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function openDoor(maxConnections = 100): Promise<FrontDoor> {
  const door = await openFrontDoor({ host: "127.0.0.1", port: 0 }, maxConnections);
  cleanups.push(() => door.close());
  return door;
}

const createTaker = (): TestTaker => {
  const given: number[] = [];
  return { given, give: (id) => void given.push(id) };
};

/** Opens connections, and waits until the door has dealt with them. */
async function knock(door: FrontDoor, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(door.address.port, "127.0.0.1"));
  for (const socket of sockets) {
    cleanups.push(() => socket.destroy());
    socket.on("error", () => undefined).resume();
  }
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  return sockets;
}

const whenGiven = (takers: readonly TestTaker[], count: number): Promise<void> =>
  vi.waitFor(() => expect(takers.flatMap(({ given }) => given)).toHaveLength(count));

describe("openFrontDoor()", () => {
  it("rejects with the system's error where the address is taken", async () => {
    const { address } = await openDoor();
    await expect(openFrontDoor(address, 1)).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("gives connections to workers in turn, and to those that have taken theirs first", async () => {
    const door = await openDoor();
    const takers = [createTaker(), createTaker(), createTaker()];
    const [slow, ...quick] = takers;
    for (const taker of takers) door.open(taker);
    await knock(door, 6);
    await whenGiven(takers, 6);
    expect(takers.map(({ given }) => given.length)).toEqual([2, 2, 2]);
    for (const taker of quick) for (const id of taker.given) door.taken(taker, id);
    await knock(door, 4);
    await whenGiven(takers, 10);
    expect(takers.map(({ given }) => given.length)).toEqual([2, 4, 4]);
    expect(slow?.given).toHaveLength(2);
  });

  it("gives them to the worker that has fewest", async () => {
    const door = await openDoor();
    const [one, two] = [createTaker(), createTaker()];
    door.open(one);
    await knock(door, 3);
    await whenGiven([one], 3);
    for (const id of one.given) door.taken(one, id);
    door.open(two);
    for (let turn = 0; turn < 3; turn++) {
      await knock(door, 1);
      await whenGiven([one, two], 4 + turn);
      door.taken(two, two.given.at(-1) ?? 0);
    }
    expect([one.given.length, two.given.length]).toEqual([3, 3]);
    for (let turn = 0; turn < 2; turn++) door.closed(two);
    await knock(door, 1);
    await whenGiven([one, two], 7);
    expect(two.given).toHaveLength(4);
  });

  it("keeps them for the next worker while there is none", async () => {
    const door = await openDoor();
    await knock(door, 3);
    await pause(50);
    const taker = createTaker();
    door.open(taker);
    expect(taker.given).toHaveLength(3);
  });

  it("gives to others what a worker that is gone had not taken, and closes what it had", async () => {
    const door = await openDoor();
    const [dead, alive] = [createTaker(), createTaker()];
    door.open(dead);
    const sockets = await knock(door, 3);
    await whenGiven([dead], 3);
    door.open(alive);
    // Without a worker to hold it, this ends the connection.
    door.taken(dead, dead.given[0] ?? 0);
    await vi.waitFor(() => expect(sockets.filter(({ closed }) => closed)).toHaveLength(1));
    door.remove(dead);
    expect(alive.given).toHaveLength(2);
    expect(sockets.filter(({ closed }) => closed)).toHaveLength(1);
  });

  it("closes connections above the limit, wherever they are", async () => {
    const door = await openDoor(3);
    const taker = createTaker();
    const waiting = await knock(door, 4);
    await vi.waitFor(() => expect(waiting.filter(({ closed }) => closed)).toHaveLength(1));
    door.open(taker);
    await whenGiven([taker], 3);
    const refused = await knock(door, 2);
    await vi.waitFor(() => expect(refused.filter(({ closed }) => closed)).toHaveLength(2));
    door.taken(taker, taker.given[0] ?? 0);
    door.closed(taker);
    await knock(door, 1);
    await whenGiven([taker], 4);
    door.change(5);
    await knock(door, 2);
    await whenGiven([taker], 6);
  });

  it("closes what no worker has taken when it ends, and accepts no more", async () => {
    const door = await openDoor();
    const sockets = await knock(door, 2);
    const taker = createTaker();
    door.open(taker);
    await whenGiven([taker], 2);
    door.close();
    await vi.waitFor(() => expect(sockets.filter(({ closed }) => closed)).toHaveLength(2));
    const late = connect(door.address.port, "127.0.0.1");
    const [error] = (await once(late, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
  });
});
