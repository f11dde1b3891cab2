/** The JSON path of a field in OpenAI's shape, from its path in a request: "params.messages[0].role" is "messages[0].role" there. */
export function jsonPath(fieldPath: string): string {
  return fieldPath.startsWith("params.") ? fieldPath.slice("params.".length) : fieldPath;
}
