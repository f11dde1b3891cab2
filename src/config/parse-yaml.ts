import type { JsonValue } from "@bufbuild/protobuf";
import { type Document, type ErrorCode, LineCounter, type Node, parseDocument, visit, type YAMLError } from "yaml";
import type { Report } from "./problems.ts";

/** How often aliases may repeat what their anchors stand for, all together. */
const MAX_ALIASES = 100;

/**
 * Reads a file's text by YAML 1.2's core schema: no tags besides the standard ones, unique keys, strings as keys, one document.
 * What is wrong is reported with its line and column, and never with the text, which may hold secrets; the result is then
 * undefined. An empty file is null.
 */
export function parseYaml(text: string, report: Report): JsonValue | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    resolveKnownTags: false,
    schema: "core",
    stringKeys: true,
    version: "1.2",
  });
  const faults: readonly YAMLError[] = [...document.errors, ...document.warnings];
  for (const { code, pos } of faults) {
    const { line, col } = lines.linePos(Math.max(0, pos[0]));
    report("", FAULTS[code], { line, column: col });
  }
  if (faults.length > 0) return undefined;
  try {
    const aliasFaults = findAliasFaults(document);
    for (const { at, message } of aliasFaults) {
      const { line, col } = lines.linePos(at);
      report("", message, { line, column: col });
    }
    return aliasFaults.length > 0 ? undefined : (document.toJS({ maxAliasCount: MAX_ALIASES }) as JsonValue);
  } catch (error) {
    // A ReferenceError is about too many aliases, a RangeError about the stack.
    const aliases = `its aliases must repeat what they stand for no more than ${MAX_ALIASES} times`;
    report("", error instanceof RangeError ? "is nested too deeply" : aliases);
    return undefined;
  }
}

/** Finds aliases that lead nowhere, of which the library has no place, or into themselves, which it takes. */
function findAliasFaults(document: Document): { readonly at: number; readonly message: string }[] {
  const faults: { at: number; message: string }[] = [];
  const anchored = new Map<string, Node>();
  visit(document, {
    Value: (_key, node) => {
      if (node.anchor !== undefined) anchored.set(node.anchor, node);
    },
    Alias: (_key, { source, range }, ancestors) => {
      const target = anchored.get(source);
      const at = range?.[0] ?? 0;
      if (target === undefined) faults.push({ at, message: "no anchor before this alias has its name" });
      else if (ancestors.includes(target)) faults.push({ at, message: "this alias stands within its own anchor" });
    },
  });
  return faults;
}

/** The library's messages quote the text, so these stand for them. */
const FAULTS: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: "an alias takes no tag and no anchor",
  BAD_ALIAS: "this anchor's or alias's name is empty or ends in a colon",
  BAD_COLLECTION_TYPE: "this tag does not fit the list or map that it stands before",
  BAD_DIRECTIVE: "this directive is not one of YAML 1.2",
  BAD_DQ_ESCAPE: "this escape does not exist in a double-quoted string",
  BAD_INDENT: "the indentation does not fit, or a bracket is not closed",
  BAD_PROP_ORDER: "a tag or an anchor stands in the wrong place",
  BAD_SCALAR_START: "a value that starts with this character must be quoted",
  BLOCK_AS_IMPLICIT_KEY: "a map or list can't start on this line",
  BLOCK_IN_FLOW: "an indented map or list can't stand inside brackets",
  DUPLICATE_KEY: "this key is there twice",
  IMPOSSIBLE: "this can't be read",
  KEY_OVER_1024_CHARS: "a key takes 1024 characters at most",
  MISSING_CHAR: "a character is missing here, such as a quote, a bracket, a comma, a colon or a space",
  MULTILINE_IMPLICIT_KEY: "a key must stand on one line; perhaps a colon is missing",
  MULTIPLE_ANCHORS: "a value takes one anchor at most",
  MULTIPLE_DOCS: "the file must hold one document",
  MULTIPLE_TAGS: "a value takes one tag at most",
  NON_STRING_KEY: "a key must be a string",
  RESOURCE_EXHAUSTION: "is nested too deeply",
  TAB_AS_INDENT: "indentation must be spaces, not tabs",
  TAG_RESOLVE_FAILED: "this tag is not known, or does not fit its value",
  UNEXPECTED_TOKEN: "this was not expected here",
};
