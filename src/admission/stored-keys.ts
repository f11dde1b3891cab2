import { LRUCache } from "lru-cache";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import type { KeyRow } from "../store/keys.ts";
import { AWAY_MS, createKeyWatch, type KeyWatchOptions } from "./key-watch.ts";
import { isSameHash } from "./secret.ts";
import { within } from "./within.ts";

/** How long it is remembered that there is no such key. */
const UNKNOWN_MS = 1_000;

/** How long a call waits for a key that is looked up. */
const ASK_MS = 5_000;

/** Most keys that are kept in memory, and most hashes that none has. */
const MAX_KNOWN = 10_000;

/** Most keys that are looked up at once: guesses of the right form must not fill the memory of who waits for a slow database. */
const MAX_ASKED = 10_000;

/** The keys of the store, those that call kept in memory. One for the whole process, whatever its settings become. */
export interface StoredKeys {
  /** Whether there is any, the revoked ones too; undefined: nobody knows, because the database is away. */
  readonly any: boolean | undefined;
  /**
   * Begins to look for changes, and looks once where there is a store. Rejects where it can't be opened or does not answer; it goes on
   * trying then, and until it has an answer nobody is let in but by keys of the configuration and tokens.
   */
  start(): Promise<void>;
  /**
   * Finds a key, a revoked one too, by the hash of its secret: at once where it is known. Fails with UNAVAILABLE while the database is away,
   * but for keys that were seen within the last minute.
   */
  find(hash: string): KeyRow | undefined | Promise<KeyRow | undefined>;
  /** Finds a key by its id, as it is in the store now. Fails with UNAVAILABLE. */
  get(id: string): Promise<KeyRow | undefined>;
  /** Sees what was changed before; to be awaited by who changed it. Never rejects. */
  refresh(): Promise<void>;
  /** Looks for changes no more. */
  close(): void;
}

/** Makes the keys of a store, which is not opened before there is something in it. */
export function createStoredKeys(options: KeyWatchOptions): StoredKeys {
  const { store, elapsed = () => performance.now() } = options;
  const watch = createKeyWatch(options);
  /** By their hashes, which were compared when they were read. */
  const known = new LRUCache<string, KeyRow>({ max: MAX_KNOWN });
  const unknown = new LRUCache<string, number>({ max: MAX_KNOWN });
  const asked = new Map<string, Promise<KeyRow | undefined>>();
  let changes = 0;

  /** Forgets what is out of date. */
  function forget(): void {
    if (changes === watch.changes) return;
    changes = watch.changes;
    known.clear();
    unknown.clear();
    // Who asks from now on is not answered by what was read before.
    asked.clear();
  }

  function find(hash: string): KeyRow | undefined | Promise<KeyRow | undefined> {
    if (watch.hasKeys === false && store.opened === undefined) return undefined;
    if (watch.isFresh) return findFresh(hash);
    return watch.isAway ? findAway(hash) : watch.look().then(() => (watch.isAway ? findAway(hash) : findFresh(hash)));
  }

  function findFresh(hash: string): KeyRow | undefined | Promise<KeyRow | undefined> {
    forget();
    const row = known.get(hash);
    if (row !== undefined) return row;
    if ((unknown.get(hash) ?? Number.NEGATIVE_INFINITY) > elapsed()) return undefined;
    let asking = asked.get(hash);
    if (asking === undefined) {
      if (asked.size >= MAX_ASKED) throw unavailable("too many keys that are not known yet are looked up now");
      asking = ask(hash).finally(() => {
        if (asked.get(hash) === asking) asked.delete(hash);
      });
      asked.set(hash, asking);
    }
    return asking;
  }

  async function ask(hash: string): Promise<KeyRow | undefined> {
    const askedAt = elapsed();
    const before = watch.changes;
    const rows = await watch.rows();
    const row = await within(rows.findByHash(hash), ASK_MS, () =>
      unavailable("the database with the keys does not answer"),
    );
    const found = row !== undefined && isSameHash(row.hash, hash) ? row : undefined;
    forget();
    // What was read before a change is good for this call only.
    if (before !== watch.changes) return found;
    if (found === undefined) unknown.set(hash, askedAt + UNKNOWN_MS);
    else known.set(hash, found);
    return found;
  }

  function findAway(hash: string): KeyRow {
    const row = watch.ageMs < AWAY_MS ? known.get(hash) : undefined;
    if (row === undefined) {
      throw unavailable("keys can't be looked up now, because the database is away");
    }
    return row;
  }

  return {
    get any() {
      return watch.hasKeys;
    },
    start: watch.start,
    find,
    get: async (id) => (await watch.rows()).get(id),
    refresh: watch.lookAgain,
    close: watch.close,
  };
}

const unavailable = (message: string): GatewayError =>
  new GatewayError(Reason.UNAVAILABLE, message, { retryAfterMs: 1_000 });
