import type { JsonObject } from "@bufbuild/protobuf";
import { ServiceTierSchema } from "../../gen/parley/chat/v1/completion_pb.ts";
import { enumWords } from "../../openai-json/words.ts";
import { restOf } from "./decode-rest.ts";
import { FRAME_NOISE } from "./noise.ts";

/** What stands around the choices, in an answer and in a chunk. */
export interface Frame {
  /** "" where there is none. */
  readonly id: string;
  readonly model: string;
  readonly systemFingerprint: string | undefined;
  /** 0: not said, or in a word of the server's own. */
  readonly serviceTier: number;
  readonly rest: JsonObject | undefined;
}

const KNOWN: ReadonlySet<string> = new Set([
  ...["id", "model", "choices", "usage", "error", "service_tier", "system_fingerprint"],
  ...FRAME_NOISE,
]);
const TIERS = enumWords(ServiceTierSchema).numberOf;

/** Reads what stands around the choices. */
export function readFrame(json: JsonObject): Frame {
  const { id, model, service_tier: tier, system_fingerprint: fingerprint } = json;
  return {
    id: typeof id === "string" ? id : "",
    model: typeof model === "string" ? model : "",
    systemFingerprint: typeof fingerprint === "string" && fingerprint !== "" ? fingerprint : undefined,
    serviceTier: typeof tier === "string" ? (TIERS.get(tier) ?? 0) : 0,
    rest: restOf(json, KNOWN),
  };
}

/** A frame that says nothing. */
export const NO_FRAME: Frame = { id: "", model: "", systemFingerprint: undefined, serviceTier: 0, rest: undefined };

/** Both frames in one; where they say the same key, the later one counts. */
export function addFrame(frame: Frame, later: Frame): Frame {
  return {
    id: frame.id || later.id,
    model: frame.model || later.model,
    systemFingerprint: later.systemFingerprint ?? frame.systemFingerprint,
    serviceTier: later.serviceTier === 0 ? frame.serviceTier : later.serviceTier,
    rest:
      frame.rest === undefined || later.rest === undefined
        ? (later.rest ?? frame.rest)
        : { ...frame.rest, ...later.rest },
  };
}
