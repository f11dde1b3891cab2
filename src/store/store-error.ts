/** Why a store can't be opened, in words for who runs the gateway: they name folders, and no addresses with passwords. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

/** The words of the StoreError that an error is or came from; undefined where there is none. */
export function storeFault(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof StoreError) return cause.message;
  return undefined;
}
