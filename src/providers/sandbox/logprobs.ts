import { create } from "@bufbuild/protobuf";
import {
  type Logprobs,
  LogprobsSchema,
  type TokenLogprob,
  TokenLogprobSchema,
  TopLogprobSchema,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import { createRandom, type Random } from "./random.ts";

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
export function createLogprobs(tokens: readonly string[], alternatives: number, first = 0): Logprobs {
  return create(LogprobsSchema, {
    content: tokens.map((token, index) => tokenLogprob(token, alternatives, createRandom(`${first + index}/${token}`))),
  });
}

function tokenLogprob(token: string, alternatives: number, random: Random): TokenLogprob {
  const probability = 0.55 + 0.44 * random.next();
  const others = ALTERNATIVES.filter((other) => other !== token);
  const start = random.int(others.length);
  let left = 1 - probability;
  const top = [{ token, logprob: Math.log(probability) }];
  for (let rank = 1; rank < alternatives; rank++) {
    const share = left * 0.6;
    left -= share;
    top.push({ token: others[(start + rank) % others.length] as string, logprob: Math.log(share) });
  }
  return create(TokenLogprobSchema, {
    token,
    logprob: Math.log(probability),
    bytes: encoder.encode(token),
    topLogprobs: top
      .slice(0, alternatives)
      .map((each) => create(TopLogprobSchema, { ...each, bytes: encoder.encode(each.token) })),
  });
}
