import type { JsonObject } from "@bufbuild/protobuf";
import type { Logprobs, TokenLogprob, TopLogprob } from "../../gen/parley/chat/v1/completion_pb.ts";
import { numberIn, objectsIn, textIn } from "./json-fields.ts";

const encoder = new TextEncoder();

/** Log probabilities by `logprobsResult`; undefined where it has no token. */
export function logprobsOf(result: JsonObject): Logprobs | undefined {
  const tops = objectsIn(result, "topCandidates");
  const content = objectsIn(result, "chosenCandidates").map((chosen, at): TokenLogprob => {
    const top = tops[at];
    return {
      $typeName: "parley.chat.v1.TokenLogprob",
      ...tokenOf(chosen),
      topLogprobs: (top === undefined ? [] : objectsIn(top, "candidates")).map(
        (candidate): TopLogprob => ({ $typeName: "parley.chat.v1.TopLogprob", ...tokenOf(candidate) }),
      ),
    };
  });
  return content.length === 0 ? undefined : { $typeName: "parley.chat.v1.Logprobs", content, refusal: [] };
}

/** A zero is left out on the wire; what JSON can't say is "very unlikely". */
function tokenOf(candidate: JsonObject) {
  const token = (textIn(candidate, "token") ?? "").toWellFormed();
  const logprob = "logProbability" in candidate ? (numberIn(candidate, "logProbability") ?? -9999) : 0;
  return { token, logprob: Math.max(logprob, -9999), bytes: encoder.encode(token) };
}
