import { createSpendRows } from "../../store/spend.ts";
import type { LateStore } from "../../store/store.ts";
import { createSpendLedger, type SpendLedger } from "./spend-ledger.ts";

/** How old what was spent may become where other processes write it, too. */
const SHARED_REFRESH_MS = 5_000;

/** Makes the ledger of a store. `isShared`: whether other processes write to it what was spent. */
export const createStoredSpend = (store: LateStore, isShared: boolean): SpendLedger =>
  createSpendLedger({
    read: async (caller, period) => createSpendRows(await store.open()).read(caller, period),
    ...(isShared ? { refreshMs: SHARED_REFRESH_MS } : {}),
  });
