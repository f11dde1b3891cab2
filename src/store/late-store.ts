import { existsSync } from "node:fs";
import type { StoreSettings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { databaseFile } from "./data-folder.ts";
import type { LateStore, Store } from "./store.ts";

/** How a store is used. */
export interface LateStoreOptions {
  /**
   * Whether it is used beside a gateway that serves, for a moment. Otherwise the folder of the built-in database is locked, and a second
   * process is refused. Default: false.
   */
  readonly shared?: boolean;
  /** Most connections to PostgreSQL at once; unset: 10. */
  readonly maxConnections?: number;
  /** Opens it in another way, such as through the process that has it open. */
  readonly openStore?: () => Promise<Store>;
}

/** Makes a store that loads what it takes, and opens its database, when it is first asked to. */
export function createLateStore(settings: StoreSettings, options: LateStoreOptions = {}): LateStore {
  let opening: Promise<Store> | undefined;
  let opened: Store | undefined;
  let failed = false;
  let closed: Promise<void> | undefined;

  async function open(): Promise<Store> {
    try {
      opened = await (options.openStore?.() ?? openStore(settings, options));
      failed = false;
      return opened;
    } catch (error) {
      failed = true;
      opening = undefined;
      if (error instanceof GatewayError) throw error;
      throw new GatewayError(Reason.UNAVAILABLE, "the database can't be opened", { cause: error });
    }
  }

  async function close(): Promise<void> {
    // One that can't be opened needs no closing.
    const store = await opening?.catch(() => undefined);
    opened = undefined;
    await store?.close();
  }

  return {
    get exists() {
      return settings.databaseUrl !== undefined || existsSync(databaseFile(settings.dataDir));
    },
    get opened() {
      return opened;
    },
    get isAway() {
      return opened?.isAway ?? failed;
    },
    async open() {
      if (closed !== undefined) throw new GatewayError(Reason.SHUTTING_DOWN, "the gateway is shutting down");
      opening ??= open();
      return await opening;
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
}

/** Loads the engine and opens the database with it. */
async function openStore(
  { databaseUrl, dataDir }: StoreSettings,
  { shared = false, maxConnections }: LateStoreOptions,
): Promise<Store> {
  if (databaseUrl !== undefined) {
    const { openPostgresStore } = await import("./postgres/postgres-store.ts");
    return await openPostgresStore(databaseUrl, maxConnections);
  }
  const { openSqliteStore } = await import("./sqlite/sqlite-store.ts");
  return await openSqliteStore(dataDir, shared);
}
