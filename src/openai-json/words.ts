import { type DescEnum, type DescEnumValue, getOption, hasOption } from "@bufbuild/protobuf";
import { word as wordOption } from "../gen/parley/options/v1/options_pb.ts";

/** The words that stand for an enum's values. */
export interface EnumWords {
  readonly wordOf: ReadonlyMap<number, string>;
  readonly numberOf: ReadonlyMap<string, number>;
}

const cache = new WeakMap<DescEnum, EnumWords>();

/**
 * The words of an enum: a value's option `word`, or its name without the enum's prefix in lower case. Zero stands for "unset" and
 * has a word only if an option gives it one.
 */
export function enumWords(desc: DescEnum): EnumWords {
  let words = cache.get(desc);
  if (words === undefined) {
    words = collectWords(desc);
    cache.set(desc, words);
  }
  return words;
}

function collectWords(desc: DescEnum): EnumWords {
  const wordOf = new Map<number, string>();
  const numberOf = new Map<string, number>();
  for (const value of desc.values) {
    const word = wordOfValue(value);
    if (word === undefined) continue;
    if (numberOf.has(word)) throw new Error(`${desc.typeName}: two values have the word "${word}"`);
    numberOf.set(word, value.number);
    // Of aliases the first is written, and all are read.
    if (!wordOf.has(value.number)) wordOf.set(value.number, word);
  }
  return { wordOf, numberOf };
}

function wordOfValue(value: DescEnumValue): string | undefined {
  if (hasOption(value, wordOption)) return getOption(value, wordOption);
  if (value.number === 0) return undefined;
  // Not `localName`: it keeps the prefix of all values if one of them would begin with a digit, and has "$" after reserved words.
  const prefix = `${value.parent.name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toLowerCase()}_`;
  const name = value.name.toLowerCase();
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}
