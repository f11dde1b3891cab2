import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { createPathMatcher, type PathMatcher } from "../../src/rest/path-matcher.ts";
import { parsePathTemplate } from "../../src/rest/path-parser.ts";

/** Binds "GET /path" and so on, each to itself. */
function matcherOf(...bindings: string[]): PathMatcher<string> {
  const matcher = createPathMatcher<string>();
  for (const binding of bindings) {
    const [method = "", path = ""] = binding.split(" ");
    matcher.add(method, parsePathTemplate(path), binding);
  }
  return matcher;
}

const MATCHER = matcherOf(
  "GET /models",
  "GET /models/{model=**}",
  "POST /models/refresh",
  "DELETE /models/{model=*}",
  "POST /chat/completions",
  "GET /runs/{run}",
  "POST /runs/{run}:cancel",
  "POST /runs/{run}/notes/{note}",
  "GET /{name=shelves/*/books/*}",
  "* /any",
  "PURGE /cache",
);

describe("PathMatcher", () => {
  it.each<[request: string, found: string, variables: string[]]>([
    ["GET /models", "GET /models", []],
    ["HEAD /models", "GET /models", []],
    ["GET /models/a", "GET /models/{model=**}", ["a"]],
    ["GET /models/a/b/c", "GET /models/{model=**}", ["a/b/c"]],
    ["GET /models/a%2Fb", "GET /models/{model=**}", ["a/b"]],
    ["GET /models/a%252Fb", "GET /models/{model=**}", ["a%2Fb"]],
    ["GET /models/ft:gpt-4o:org::id", "GET /models/{model=**}", ["ft:gpt-4o:org::id"]],
    ["GET /models/ft%3Agpt%3Acancel", "GET /models/{model=**}", ["ft:gpt:cancel"]],
    ["GET /models/a+b%20c", "GET /models/{model=**}", ["a+b c"]],
    ["GET /models/%C3%A9%F0%9F%98%80", "GET /models/{model=**}", ["é😀"]],
    ["GET /models/..", "GET /models/{model=**}", [".."]],
    // The literal takes POST only; the variable beside it takes the rest.
    ["POST /models/refresh", "POST /models/refresh", []],
    ["GET /models/refresh", "GET /models/{model=**}", ["refresh"]],
    ["DELETE /models/refresh", "DELETE /models/{model=*}", ["refresh"]],
    ["POST /ch%61t/completions", "POST /chat/completions", []],
    ["GET /runs/7", "GET /runs/{run}", ["7"]],
    ["GET /runs/7:cancel", "GET /runs/{run}", ["7:cancel"]],
    ["POST /runs/7:cancel", "POST /runs/{run}:cancel", ["7"]],
    ["POST /runs/a:b:cancel", "POST /runs/{run}:cancel", ["a:b"]],
    ["POST /runs/7/notes/n%2F1", "POST /runs/{run}/notes/{note}", ["7", "n/1"]],
    ["GET /shelves/1/books/2", "GET /{name=shelves/*/books/*}", ["shelves/1/books/2"]],
    ["BREW /any", "* /any", []],
    ["PURGE /cache", "PURGE /cache", []],
  ])("finds %s", (request, value, variables) => {
    const [method = "", path = ""] = request.split(" ");
    expect(MATCHER.match(method, path)).toEqual({ kind: "found", value, variables });
  });

  it.each([
    "",
    "*",
    "models",
    "/",
    "/nope",
    "/models/",
    "/models//a",
    "/models/a/",
    "//models",
    "/Models",
    "/chat",
    "/chat/completions/x",
    "/chat%2Fcompletions",
    "/runs",
    "/runs/7/notes",
    "/shelves/1/books",
    "/chat/completions:cancel",
  ])("does not find %j", (path) => {
    expect(MATCHER.match("GET", path)).toEqual({ kind: "not-found" });
  });

  it.each<[request: string, allow: string[]]>([
    ["GET /chat/completions", ["OPTIONS", "POST"]],
    ["OPTIONS /models", ["GET", "HEAD", "OPTIONS"]],
    ["PUT /models/refresh", ["DELETE", "GET", "HEAD", "OPTIONS", "POST"]],
    ["PUT /models/a/b", ["GET", "HEAD", "OPTIONS"]],
    ["PUT /runs/7:cancel", ["GET", "HEAD", "OPTIONS", "POST"]],
    ["get /models", ["GET", "HEAD", "OPTIONS"]],
  ])("says what is allowed where %s is not", (request, allow) => {
    const [method = "", path = ""] = request.split(" ");
    expect(MATCHER.match(method, path)).toEqual({ kind: "method-not-allowed", allow });
  });

  it.each(["/models/%", "/models/%zz", "/models/%ff", "/nope/%C3"])("refuses %s, which cannot be decoded", (path) => {
    const attempt = () => MATCHER.match("GET", path);
    expect(attempt).toThrow(GatewayError);
    expect(attempt).toThrow(expect.objectContaining({ reason: Reason.INVALID_REQUEST }));
  });

  it.each<[first: string, second: string]>([
    ["GET /a", "GET /a"],
    ["GET /{a}", "GET /{b=*}"],
    ["GET /x/{a=**}", "GET /x/**"],
    ["GET /{a}:go", "GET /*:go"],
  ])("refuses %s beside %s", (first, second) => {
    expect(() => matcherOf(first, second)).toThrow(/is bound twice, also as/);
  });

  it("takes the same path with another method or verb", () => {
    expect(() => matcherOf("GET /a", "POST /a", "GET /a:go", "GET /{a}")).not.toThrow();
  });
});
