/**
 * Takes the value out of what an iterator gave, which has none then. A promise that was waited for for long is old when it is resolved, and
 * keeps its result, and all that is in it, until the collector looks at what is old; with an empty one, a batch dies young.
 */
export function takeValue<T>(step: IteratorYieldResult<T>): T {
  const { value } = step;
  step.value = undefined as T;
  return value;
}
