/** Lets go of an iterator, wherever it is. */
export async function stopQuietly(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // It was ended before, and says so, or whoever lets go of it knows the reason.
  }
}
