import { create } from "@bufbuild/protobuf";
import { Modality, type Model, ModelSchema } from "../../gen/parley/models/v1/models_service_pb.ts";

/** Id of the provider. */
export const SANDBOX = "sandbox";

/** How a model of the sandbox answers, and how it fails. */
export interface SandboxModel {
  readonly id: string;
  readonly description: string;
  /** Who speaks: Eliza converses, Echo repeats. */
  readonly voice: "eliza" | "echo";
  /** How it fails; undefined: it does not. */
  readonly fault?: Fault;
}

/** The ways of failing. */
export type Fault =
  | "401"
  | "429"
  | "500"
  | "503"
  | "bad-json"
  | "cut"
  | "empty"
  | "error-in-stream"
  | "slow-start"
  | "stall";

const fault = (kind: Fault, description: string): SandboxModel => ({
  id: `fault-${kind}`,
  description,
  voice: "eliza",
  fault: kind,
});

/** All models of the sandbox. */
export const SANDBOX_MODELS: readonly SandboxModel[] = [
  { id: "eliza", description: "Converses, calls tools, keeps to schemas; needs no key", voice: "eliza" },
  { id: "echo", description: "Repeats the last message of the user", voice: "echo" },
  fault("401", "Fails as a provider that refuses the gateway's key"),
  fault("429", "Fails as a provider whose rate limit is exceeded, with a delay to wait for"),
  fault("500", "Fails as a provider with a fault of its own"),
  fault("503", "Fails as a provider that is overloaded"),
  fault("bad-json", "Answers with what cannot be understood; a stream after its first tokens"),
  fault("cut", "Loses the connection after the first tokens, without an end"),
  fault("empty", "Answers with nothing"),
  fault("error-in-stream", "Reports an overload after the first tokens; without a stream, at once"),
  fault("slow-start", "Answers rightly, but begins only after start_delay_ms (5 s)"),
  fault("stall", "Falls silent after the first tokens, and never ends"),
];

/** Most tokens of messages and answer together. */
export const CONTEXT_WINDOW = 128_000;

/** Most tokens of an answer. */
export const MAX_OUTPUT_TOKENS = 4_096;

/** When the sandbox's models were made, in Unix seconds: 2026-11-21. */
const CREATED = 1_795_219_200n;

/** What all of its models read, and what they say. */
export const READS: readonly Modality[] = [
  Modality.TEXT,
  Modality.IMAGE,
  Modality.AUDIO,
  Modality.VIDEO,
  Modality.FILE,
];
export const SAYS: readonly Modality[] = [Modality.TEXT];

/** The models as ListModels tells of them. */
export const LISTED_MODELS: readonly Model[] = SANDBOX_MODELS.map(({ id, description }) =>
  create(ModelSchema, {
    id,
    created: CREATED,
    ownedBy: SANDBOX,
    description,
    contextWindow: CONTEXT_WINDOW,
    maxOutputTokens: MAX_OUTPUT_TOKENS,
    inputModalities: [...READS],
    outputModalities: [...SAYS],
    tools: true,
    pricing: { input: 0n, output: 0n },
  }),
);
