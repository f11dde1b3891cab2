import { below, has, type KeywordNode, readCount, readNumber, readText } from "./schema-node.ts";
import { SchemaRefusal } from "./schema-refusal.ts";
import type { SchemaWork } from "./schema-work.ts";
import { stringFormats } from "./string-format.ts";

/** Whether a text satisfies the keywords for strings. Lengths are in code points. */
export function checkString(text: string, node: KeywordNode, work: SchemaWork): boolean {
  const min = readCount(node, "minLength");
  const max = readCount(node, "maxLength");
  if (min !== undefined || max !== undefined) {
    const length = [...text].length;
    if (length < (min ?? 0) || length > (max ?? length)) {
      return false;
    }
  }
  const format = stringFormats.get(readText(node, "format") ?? "");
  if (format !== undefined && !format.matches(text)) {
    return false;
  }
  const pattern = readText(node, "pattern");
  return pattern === undefined || work.pattern(pattern, below(node.pointer, "pattern")).matches(text);
}

/** Whether a number satisfies the keywords for numbers. */
export function checkNumber(value: number, node: KeywordNode): boolean {
  const step = readStep(node);
  return (
    value >= (readNumber(node, "minimum") ?? value) &&
    value <= (readNumber(node, "maximum") ?? value) &&
    (!has(node, "exclusiveMinimum") || value > readNumber(node, "exclusiveMinimum")!) &&
    (!has(node, "exclusiveMaximum") || value < readNumber(node, "exclusiveMaximum")!) &&
    // Without a tolerance, like the strictest validators: 0.3 is no multiple of 0.1 in binary.
    (step === undefined || Number.isInteger(value / step))
  );
}

/** `multipleOf`, which must be above 0; undefined when it is not there. */
export function readStep(node: KeywordNode): number | undefined {
  const step = readNumber(node, "multipleOf");
  if (step !== undefined && step <= 0) {
    throw new SchemaRefusal(below(node.pointer, "multipleOf"), `${step} must be > 0`);
  }
  return step;
}
