import { describe, expect, it } from "vitest";
import { type ErrorDetails, GatewayError } from "../../src/errors/gateway-error.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { silenceVerdict, type Verdict, verdictOf } from "../../src/routing/verdict.ts";

const verdictFor = (reason: Reason, details: ErrorDetails = {}): Verdict =>
  verdictOf(new GatewayError(reason, "it failed", details));

/** What is done after a failure, in one line. */
const inWords = ({ again, elsewhere, isFault, keyRestMs, isOfModel }: Verdict): string =>
  [
    { no: "not again", at_once: "again at once", later: "again later" }[again],
    { no: "nobody else", any: "others", larger: "larger ones" }[elsewhere],
    isFault ? "a fault" : "no fault",
    ...(keyRestMs === undefined
      ? []
      : [`next key, this one rests ${keyRestMs} ms ${isOfModel ? "here" : "everywhere"}`]),
  ].join("; ");

const NOT_RETRYABLE = { retryable: false };
const broken = (code: string): ErrorDetails => ({ cause: Object.assign(new Error("broken"), { code }) });

describe("verdictOf()", () => {
  it.each<readonly [string, Reason, ErrorDetails, string]>([
    ["a bad request ends the call", Reason.INVALID_REQUEST, {}, "not again; nobody else; no fault"],
    ["a value out of its range ends it", Reason.INVALID_VALUE, {}, "not again; nobody else; no fault"],
    ["a body that can't be processed ends it", Reason.UNPROCESSABLE, {}, "not again; nobody else; no fault"],
    ["a precondition that failed ends it", Reason.FAILED_PRECONDITION, {}, "not again; nobody else; no fault"],
    ["what a content policy refuses ends it", Reason.CONTENT_FILTERED, {}, "not again; nobody else; no fault"],
    ["a client that is gone ends it", Reason.CANCELLED, {}, "not again; nobody else; no fault"],
    ["a fault of the gateway: another target may do without", Reason.INTERNAL, {}, "not again; others; no fault"],
    ["too many tokens are for larger models", Reason.CONTEXT_LENGTH_EXCEEDED, {}, "not again; larger ones; no fault"],
    ["a parameter that it does not take", Reason.UNSUPPORTED_PARAMETER, {}, "not again; others; no fault"],
    ["a value that it does not take", Reason.UNSUPPORTED_VALUE, {}, "not again; others; no fault"],
    ["what is not permitted there", Reason.PERMISSION_DENIED, {}, "not again; others; no fault"],
    ["a model that it does not have", Reason.MODEL_NOT_FOUND, {}, "not again; others; no fault"],
    ["a body too large for it", Reason.REQUEST_TOO_LARGE, {}, "not again; others; no fault"],
    ["what it does not do", Reason.NOT_IMPLEMENTED, {}, "not again; others; no fault"],
    ["408", Reason.REQUEST_TIMEOUT, {}, "again at once; others; no fault"],
    ["409", Reason.CONFLICT, {}, "again at once; others; no fault"],
    ["500", Reason.UPSTREAM_ERROR, {}, "again later; others; a fault"],
    ["502 and bodies that are no answer", Reason.UPSTREAM_INVALID_RESPONSE, {}, "again later; others; a fault"],
    ["a stream that was cut", Reason.UPSTREAM_STREAM_INTERRUPTED, {}, "again later; others; a fault"],
    ["nobody there", Reason.UPSTREAM_UNREACHABLE, {}, "again later; others; a fault"],
    ["503 and 529", Reason.OVERLOADED, {}, "again later; others; a fault"],
    ["504", Reason.DEADLINE_EXCEEDED, {}, "again later; others; a fault"],
    [
      "a key that is refused",
      Reason.UPSTREAM_AUTHENTICATION_FAILED,
      {},
      "not again; others; no fault; next key, this one rests 60000 ms everywhere",
    ],
    [
      "an account without money",
      Reason.UPSTREAM_QUOTA_EXHAUSTED,
      {},
      "not again; others; no fault; next key, this one rests 60000 ms everywhere",
    ],
    ["429", Reason.RATE_LIMIT_EXCEEDED, {}, "again later; others; no fault; next key, this one rests 1000 ms here"],
    [
      "429 that says when to come again",
      Reason.RATE_LIMIT_EXCEEDED,
      { retryAfterMs: 2_500 },
      "again later; others; no fault; next key, this one rests 2500 ms here",
    ],
    [
      "a limit of the day",
      Reason.INSUFFICIENT_QUOTA,
      { retryAfterMs: 2_500 },
      "not again; others; no fault; next key, this one rests 60000 ms here",
    ],
  ])("%s", (_what, reason, details, done) => {
    expect(inWords(verdictFor(reason, details))).toBe(done);
  });

  it.each([
    ["not again where the provider says so", Reason.UPSTREAM_ERROR, false, "not again; others; a fault"],
    ["not again at once either", Reason.CONFLICT, false, "not again; others; no fault"],
    ["again where the provider says so", Reason.INVALID_REQUEST, true, "again later; nobody else; no fault"],
    ["as the table says where that is the same", Reason.OVERLOADED, true, "again later; others; a fault"],
    [
      "no waiting for a limit that does not pass",
      Reason.RATE_LIMIT_EXCEEDED,
      false,
      "not again; others; no fault; next key, this one rests 60000 ms here",
    ],
  ])("asks %s", (_what, reason, retryable, done) => {
    expect(inWords(verdictFor(reason, { retryable }))).toBe(done);
  });

  it.each([
    ["ECONNRESET", "again at once; others; a fault"],
    ["EPIPE", "again at once; others; a fault"],
    ["UND_ERR_SOCKET", "again at once; others; a fault"],
    ["ECONNREFUSED", "again later; others; a fault"],
    ["ENOTFOUND", "again later; others; a fault"],
  ])("tells a broken connection from nobody there: %s", (code, done) => {
    expect(inWords(verdictFor(Reason.UPSTREAM_UNREACHABLE, broken(code)))).toBe(done);
  });

  it("does not ask again over a broken connection where the provider says so", () => {
    const details = { ...broken("ECONNRESET"), ...NOT_RETRYABLE };
    expect(inWords(verdictFor(Reason.UPSTREAM_UNREACHABLE, details))).toBe("not again; others; a fault");
  });
});

describe("silenceVerdict()", () => {
  it.each([
    [true, "not again; others; a fault"],
    [false, "not again; others; no fault"],
  ])("asks others (fault: %s)", (isFault, done) => {
    expect(inWords(silenceVerdict(isFault))).toBe(done);
  });
});
