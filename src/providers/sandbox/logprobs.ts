import { create } from "@bufbuild/protobuf";
import {
  type Logprobs,
  LogprobsSchema,
  type TokenLogprob,
  TokenLogprobSchema,
  TopLogprobSchema,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import { createRandom, type Random } from "./random.ts";
import type { Piece } from "./tokens/tokens.ts";

/** Tokens that are named as alternatives; none of them is ever said twice in one place. */
const ALTERNATIVES =
  " the, a, to, of, and, is, it, in, that, for, on, with, as, you, be, this, are, or, not, we, can, at,.,!,?"
    .split(",")
    .filter((token) => token !== "");

const encoder = new TextEncoder();

/**
 * Log probabilities of tokens: those said are likely, their alternatives share what is left, so that all are a distribution. The
 * same tokens at the same places have the same ones; `first` is the place of the first token in its answer.
 */
export function createLogprobs(pieces: readonly Piece[], alternatives: number, first = 0): Logprobs {
  const said = pieces.flatMap(({ text, parts }) => parts?.map(partialToken) ?? [wholeToken(text)]);
  return create(LogprobsSchema, {
    content: said.map((each, index) =>
      tokenLogprob(each, alternatives, createRandom(`${first + index}/${each.token}`)),
    ),
  });
}

/** A token as OpenAI writes it. */
interface WrittenToken {
  readonly token: string;
  readonly bytes: Uint8Array;
}

const wholeToken = (token: string): WrittenToken => ({ token, bytes: encoder.encode(token) });

/** A token that ends, or begins, inside a character: its bytes beyond ASCII are written as `\\xf0`. */
function partialToken(bytes: Uint8Array): WrittenToken {
  const written = Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`));
  return { token: written.join(""), bytes };
}

function tokenLogprob({ token, bytes }: WrittenToken, alternatives: number, random: Random): TokenLogprob {
  const probability = 0.55 + 0.44 * random.next();
  const others = ALTERNATIVES.filter((other) => other !== token);
  const start = random.int(others.length);
  let left = 1 - probability;
  const top = [{ token, bytes, logprob: Math.log(probability) }];
  for (let rank = 1; rank < alternatives; rank++) {
    const share = left * 0.6;
    left -= share;
    top.push({ ...wholeToken(others[(start + rank) % others.length] as string), logprob: Math.log(share) });
  }
  return create(TokenLogprobSchema, {
    token,
    logprob: Math.log(probability),
    bytes,
    topLogprobs: top.slice(0, alternatives).map((each) => create(TopLogprobSchema, each)),
  });
}
