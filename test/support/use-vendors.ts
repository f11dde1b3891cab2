import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect } from "vitest";
import { DOORS, type DoorClient, openDoor } from "./doors.ts";
import { type SettingsChange, startTestGateway, type TestGateway } from "./gateway.ts";
import { openTyped, TYPED_DOORS, type TypedClients } from "./typed-doors.ts";
import type { Reply, UpstreamRequest } from "./upstream.ts";
import { startVendors, type VendorCall, type Vendors } from "./vendors.ts";

/** The key that all played vendors have. It must not be read anywhere but in their requests. */
export const KEY = "key-that-nobody-reads";

/** What a gateway before played vendors is made of. */
export interface VendorSetup {
  /** Provider entries of the configuration file. */
  readonly providers: (vendors: Vendors) => readonly JsonObject[];
  readonly answer?: (call: VendorCall) => Reply | undefined;
  /** Answers what is no call, such as a request for the list of models. */
  readonly other?: (request: UpstreamRequest) => Reply | Promise<Reply>;
  readonly change?: SettingsChange;
}

/** One provider for each family. */
export const threeFamilies = ({ baseUrl }: Vendors): readonly JsonObject[] => [
  { id: "openai", openai_compatible: { base_url: baseUrl("openai", "openai"), api_key: KEY, vendor: "openai" } },
  { id: "mistral", openai_compatible: { base_url: baseUrl("mistral", "openai"), api_key: KEY, vendor: "mistral" } },
  { id: "anthropic", anthropic: { base_url: baseUrl("anthropic", "anthropic"), api_key: KEY } },
  { id: "google", google: { base_url: baseUrl("google", "google"), api_key: KEY } },
];

/** A gateway before played vendors, for the tests of a file, with clients of each door. At its end no call must be open. */
export function useVendors({ providers, answer, other, change = {} }: VendorSetup): {
  vendors(): Vendors;
  gateway(): TestGateway;
  door(name: DoorClient["name"]): DoorClient;
  typed(name: (typeof TYPED_DOORS)[number]): TypedClients;
} {
  let vendors: Vendors;
  let gateway: TestGateway;
  const doors = new Map<string, DoorClient>();
  const typed = new Map<string, TypedClients>();
  beforeAll(async () => {
    vendors = await startVendors(answer, other);
    gateway = await startTestGateway({ ...change, providers: providers(vendors) });
    for (const name of DOORS) doors.set(name, openDoor(name, gateway.url));
    for (const name of TYPED_DOORS) typed.set(name, openTyped(name, gateway.url));
  });
  afterAll(async () => {
    for (const client of [...doors.values(), ...typed.values()]) client.close();
    await gateway.stop();
    await vendors.upstream.close();
    expect(gateway.openCalls).toBe(0);
  });
  return {
    vendors: () => vendors,
    gateway: () => gateway,
    door: (name) => doors.get(name) as DoorClient,
    typed: (name) => typed.get(name) as TypedClients,
  };
}
