import { hash } from "node:crypto";
import type { JsonValue } from "@bufbuild/protobuf";
import type { JwtSettings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { type KeyLimits, KeyLimitsSchema } from "../gen/parley/keys/v1/limits_pb.ts";
import { type Scope, ScopeSchema } from "../gen/parley/scopes/v1/scopes_pb.ts";
import { decodeJson } from "../openai-json/decode.ts";
import { enumWords } from "../openai-json/words.ts";
import { invalid } from "./bearer.ts";
import type { Caller } from "./caller.ts";
import { validate } from "./validate.ts";

/** Longest id of a caller. */
const MAX_ID_LENGTH = 200;
/** As of a key: see parley.keys.v1.CreateKeyRequest. */
const MAX_MODELS = 256;
const MAX_PATTERN_LENGTH = 512;
const CONTROL = /\p{Cc}/u;

type Claims = Readonly<Record<string, unknown>>;

/**
 * Makes the caller of a token whose signature and times are good. Rejects with INVALID_API_KEY for a claim that can't be taken: what is
 * meant to bound somebody must not be passed over.
 */
export async function callerOfToken(
  claims: Claims,
  settings: JwtSettings,
  defaultLimits: KeyLimits | undefined,
): Promise<Caller> {
  return {
    id: idOf(claims["sub"]),
    scopes: readScopes(claims[settings.scopesClaim], settings),
    models: readModels(claims[settings.modelsClaim], settings.modelsClaim),
    limits: (await readLimits(claims[settings.limitsClaim], settings.limitsClaim)) ?? defaultLimits,
    logContent: false,
  };
}

/** The subject, which is kept in logs and databases: a long one is cut, and its hash tells it from others. */
function idOf(subject: unknown): string {
  if (typeof subject !== "string" || subject === "" || CONTROL.test(subject) || !subject.isWellFormed()) {
    throw wrong("sub", "must be a text of at least one character, without control characters");
  }
  const id = `jwt:${subject}`;
  if (id.length <= MAX_ID_LENGTH) return id;
  const mark = `~${hash("sha256", subject, "base64url")}`;
  return id.slice(0, MAX_ID_LENGTH - mark.length).toWellFormed() + mark;
}

function readScopes(claim: unknown, { scopesClaim, scopePrefix }: JwtSettings): ReadonlySet<Scope> {
  const words = typeof claim === "string" ? claim.split(" ") : (claim ?? []);
  if (!isTexts(words)) throw wrong(scopesClaim, "must be a list of texts, or words with spaces between");
  const { numberOf } = enumWords(ScopeSchema);
  const numbers = words.map((word) =>
    word.startsWith(scopePrefix) ? numberOf.get(word.slice(scopePrefix.length)) : undefined,
  );
  return new Set(numbers.filter((number): number is Scope => number !== undefined));
}

function readModels(claim: unknown, name: string): readonly string[] {
  if (claim === undefined) return [];
  const isTaken =
    isTexts(claim) &&
    claim.length <= MAX_MODELS &&
    claim.every((text) => text !== "" && text.length <= MAX_PATTERN_LENGTH && !CONTROL.test(text));
  if (!isTaken) throw wrong(name, `must be a list of up to ${MAX_MODELS} patterns of models`);
  // As a key's, an empty list would mean all: nobody who writes it into a token means that.
  if (claim.length === 0) throw wrong(name, "has no pattern; leave it out for all models");
  return claim;
}

async function readLimits(claim: unknown, name: string): Promise<KeyLimits | undefined> {
  if (claim === undefined) return undefined;
  try {
    const limits = decodeJson(KeyLimitsSchema, claim as JsonValue, { path: name, unknownKeys: "reject" });
    await validate(KeyLimitsSchema, limits);
    return limits;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw wrong(name, `has limits that can't be taken: ${error.message}`);
  }
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

const wrong = (claim: string, what: string): GatewayError => invalid(`the token's claim ${claim} ${what}`);
