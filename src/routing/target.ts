import type { Backend } from "../upstream/backend.ts";
import type { Facts } from "./abilities.ts";
import type { TargetState } from "./target-state.ts";

/** Somebody who can answer a call: a model of a provider. */
export interface Target {
  readonly backend: Backend;
  /** The provider's own name of the model. */
  readonly model: string;
  /** "provider/model". */
  readonly name: string;
  readonly facts: Facts;
  readonly state: TargetState;
}

/** A target that a call may go to. */
export interface Candidate {
  readonly target: Target;
  /** `model` of the answer: the name that was asked for, or, for "auto", the target's name. */
  readonly answersAs: string;
}
