import { type PathToken, type PathTokenKind, scanPathTemplate } from "./path-scanner.ts";

/** What one segment of a path has to be: this text, any text, or (last only) any text in one segment or more. */
export type PathSegment = { readonly kind: "literal"; readonly text: string } | { readonly kind: "any" | "rest" };

/** A field of the request that segments of the path fill. */
export interface PathVariable {
  /** Names of the field and of those that lead to it, with dots between. */
  readonly field: string;
  /** The first segment that belongs to it. */
  readonly start: number;
  /** The first segment after it; undefined: it takes all up to the end of the path. */
  readonly end: number | undefined;
}

/** A parsed path template. */
export interface PathTemplate {
  readonly source: string;
  readonly segments: readonly PathSegment[];
  readonly variables: readonly PathVariable[];
  /** What stands after the colon at the end; empty: there is none. */
  readonly verb: string;
}

/**
 * Parses a path template, or throws an Error that says what is wrong and where. The grammar is that of google.api.http
 * (https://github.com/googleapis/googleapis/blob/master/google/api/http.proto):
 *
 *     Template = "/" Segments [ Verb ] ;
 *     Segments = Segment { "/" Segment } ;
 *     Segment  = "*" | "**" | LITERAL | Variable ;
 *     Variable = "{" FieldPath [ "=" Segments ] "}" ;
 *     FieldPath = IDENT { "." IDENT } ;
 *     Verb     = ":" LITERAL ;
 *
 * "**" has to be the last segment, and variables do not nest.
 */
export function parsePathTemplate(template: string): PathTemplate {
  return new TemplateParser(template).parse();
}

const FIELD_PATH = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;
/** `pchar` of RFC 3986, without what the grammar uses for itself. */
const LITERAL = /^([\w\-.~!$&'()+,;@]|%[0-9A-Fa-f]{2})+$/;

class TemplateParser {
  readonly #source: string;
  readonly #tokens: readonly PathToken[];
  readonly #segments: PathSegment[] = [];
  readonly #variables: PathVariable[] = [];
  #next = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = scanPathTemplate(source);
  }

  parse(): PathTemplate {
    this.#expect("/");
    this.#parseSegments(false);
    const verb = this.#take(":") ? this.#parseLiteral() : "";
    this.#expect("end");
    return { source: this.#source, segments: this.#segments, variables: this.#variables, verb };
  }

  #parseSegments(inVariable: boolean): void {
    do {
      if (this.#segments.at(-1)?.kind === "rest") this.#fail("nothing may follow **");
      if (this.#take("**")) this.#segments.push({ kind: "rest" });
      else if (this.#take("*")) this.#segments.push({ kind: "any" });
      else if (this.#peek().kind === "{") this.#parseVariable(inVariable);
      else this.#segments.push({ kind: "literal", text: this.#parseLiteral() });
    } while (this.#take("/"));
  }

  #parseVariable(inVariable: boolean): void {
    if (inVariable) this.#fail("a variable inside a variable");
    this.#expect("{");
    const field = this.#peek().text;
    if (!FIELD_PATH.test(field)) this.#fail("expected the path of a field");
    this.#next++;
    if (this.#variables.some((variable) => variable.field === field)) this.#fail(`"${field}" is bound twice`);
    const start = this.#segments.length;
    if (this.#take("=")) this.#parseSegments(true);
    else this.#segments.push({ kind: "any" });
    this.#expect("}");
    const open = this.#segments.at(-1)?.kind === "rest";
    this.#variables.push({ field, start, end: open ? undefined : this.#segments.length });
  }

  #parseLiteral(): string {
    const { text } = this.#peek();
    if (!LITERAL.test(text)) this.#fail("expected a literal");
    this.#next++;
    return decodeURIComponent(text);
  }

  #peek(): PathToken {
    return this.#tokens[this.#next]!;
  }

  #take(kind: PathTokenKind): boolean {
    if (this.#peek().kind !== kind) return false;
    // "end" stays, so that there is always a token to look at.
    if (kind !== "end") this.#next++;
    return true;
  }

  #expect(kind: PathTokenKind): void {
    if (!this.#take(kind)) this.#fail(kind === "end" ? "expected the end" : `expected "${kind}"`);
  }

  #fail(what: string): never {
    throw new Error(`path template "${this.#source}": ${what} at character ${this.#peek().at}`);
  }
}
