import type { Random } from "../random.ts";
import { nameWords } from "./sample-hints.ts";

/** Plausible texts by the words of a property's name. */
const TEXTS: ReadonlyMap<string, readonly string[]> = new Map([
  ["id", ["item_42", "item_7", "item_128"]],
  ["uuid", ["7d444840-9dc0-41d1-b245-5ffdce74fad2"]],
  ["name", ["Ada Lovelace", "Grace Hopper", "Alan Turing"]],
  ["title", ["A small example", "Notes on streams", "First steps"]],
  ["description", ["A short description made by the sandbox.", "An example, made to fit the schema."]],
  ["summary", ["A short summary made by the sandbox."]],
  ["reason", ["Because the schema asks for a reason."]],
  ["explanation", ["This value was made to fit the schema."]],
  ["answer", ["Forty-two."]],
  ["message", ["Hello from the sandbox."]],
  ["content", ["Hello from the sandbox."]],
  ["text", ["Hello from the sandbox."]],
  ["query", ["parley streaming"]],
  ["city", ["Lisbon", "Nairobi", "Osaka"]],
  ["location", ["Lisbon", "Nairobi", "Osaka"]],
  ["country", ["Portugal", "Kenya", "Japan"]],
  ["address", ["1 Example Street"]],
  ["street", ["1 Example Street"]],
  ["language", ["en"]],
  ["locale", ["en-GB"]],
  ["timezone", ["Europe/Lisbon"]],
  ["currency", ["EUR"]],
  ["unit", ["metric"]],
  ["color", ["blue", "green", "red"]],
  ["colour", ["blue", "green", "red"]],
  ["email", ["ada@example.com", "grace@example.com"]],
  ["url", ["https://example.com/docs"]],
  ["path", ["docs/readme.md"]],
  ["file", ["readme.md"]],
  ["filename", ["readme.md"]],
  ["phone", ["+351 210 000 000"]],
  ["date", ["2026-01-15"]],
  ["time", ["09:30"]],
  ["tag", ["example", "sandbox", "schema"]],
  ["category", ["general", "reference"]],
  ["status", ["active"]],
  ["code", ["console.log(42);"]],
  ["expression", ["6 * 7"]],
]);

/** Plausible numbers by the words of a property's name. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ["age", 36],
  ["year", 2026],
  ["month", 6],
  ["day", 15],
  ["hour", 9],
  ["minute", 30],
  ["second", 30],
  ["page", 1],
  ["limit", 10],
  ["port", 8080],
  ["price", 19.99],
  ["cost", 19.99],
  ["temperature", 21.5],
  ["humidity", 60],
  ["latitude", 38.72],
  ["lat", 38.72],
  ["longitude", -9.14],
  ["lon", -9.14],
  ["lng", -9.14],
  ["confidence", 0.9],
  ["probability", 0.9],
  ["score", 0.8],
  ["rating", 4],
  ["percent", 50],
  ["percentage", 50],
  ["count", 3],
  ["quantity", 2],
]);

const FILLERS = ["example", "sample", "alpha", "river", "maple", "amber", "cedar", "harbor", "meadow", "lantern"];

/** A plausible text for a property of this name; with a variation other than 0, any of several. */
export function plausibleText(name: string, variation: number, random: Random): string {
  const row = lastKnown(name, TEXTS);
  if (row !== undefined && variation < 4) {
    return variation === 0 ? row[0]! : random.pick(row);
  }
  // After a few tries the fillers alone are too few, for instance when many different texts are wanted.
  const filler = random.pick(FILLERS);
  return variation < 2 ? filler : `${filler}-${random.int(10_000)}`;
}

/** A plausible number for a property of this name, undefined when the name says nothing. */
export function plausibleNumber(name: string): number | undefined {
  return lastKnown(name, NUMBERS);
}

/** The entry of the last word of the name that has one: a `city_name` is a name, a `user_ids` an id. */
function lastKnown<T>(name: string, table: ReadonlyMap<string, T>): T | undefined {
  for (const word of nameWords(name).reverse()) {
    const entry = table.get(word) ?? table.get(word.replace(/s$/, ""));
    if (entry !== undefined) {
      return entry;
    }
  }
  return undefined;
}
