import type { Dialect, Driver } from "kysely";

/** A dialect whose end waits for all queries and transactions that were begun before, also for those that wait for a connection. */
export const createDrainingDialect = (dialect: Dialect): Dialect => ({
  createAdapter: () => dialect.createAdapter(),
  createDriver: () => createDrainingDriver(dialect.createDriver()),
  createIntrospector: (db) => dialect.createIntrospector(db),
  createQueryCompiler: () => dialect.createQueryCompiler(),
});

function createDrainingDriver(driver: Driver): Driver {
  let taken = 0;
  let drained: (() => void) | undefined;
  const giveBack = (): void => {
    taken -= 1;
    if (taken === 0) drained?.();
  };
  return {
    init: (options) => driver.init(options),
    async acquireConnection(options) {
      taken += 1;
      try {
        return await driver.acquireConnection(options);
      } catch (error) {
        giveBack();
        throw error;
      }
    },
    async releaseConnection(connection, options) {
      await driver.releaseConnection(connection, options);
      giveBack();
    },
    beginTransaction: (connection, settings) => driver.beginTransaction(connection, settings),
    commitTransaction: (connection) => driver.commitTransaction(connection),
    rollbackTransaction: (connection) => driver.rollbackTransaction(connection),
    // Kysely lets nobody begin any more once it has called this.
    async destroy(options) {
      if (taken > 0)
        await new Promise<void>((resolve) => {
          drained = resolve;
        });
      await driver.destroy(options);
    },
  };
}
