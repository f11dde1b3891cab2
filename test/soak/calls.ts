import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { FinishReason } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { createRandom } from "../../src/providers/sandbox/random.ts";
import { type CallSettings, DOORS, type DoorClient, type Params } from "../support/doors.ts";
import { ACTORS } from "./actors.ts";
import { NAMES, TOTAL_MS } from "./configs.ts";

/** What a call asks for. */
export interface CallPlan {
  readonly number: number;
  readonly door: DoorClient["name"];
  readonly streaming: boolean;
  readonly model: string;
  readonly fallbacks: readonly string[];
  /** Undefined: the client says none. */
  readonly deadlineMs: number | undefined;
  /** After how many milliseconds the client goes away; undefined: it stays. */
  readonly cancelMs: number | undefined;
  readonly hedgeMs: number | undefined;
  readonly strict: boolean;
  /** Whether it has a parameter that only Google's models take. */
  readonly hasTopK: boolean;
}

/** How a call ended, as its client saw it. Times are those of `performance.now()`. */
export interface CallOutcome {
  readonly plan: CallPlan;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly cancelledAt: number | undefined;
  /** What it was told: the whole answer, or as much as came before the error. */
  readonly text: string;
  /** How often it was told that the answer has ended. */
  readonly finishes: number;
  /** Why it failed; undefined: it did not. */
  readonly thrown: unknown;
}

const TARGETS = ACTORS.flatMap(({ id }) => [`${id}/large`, `${id}/small`]);

/** The call of that number. */
export function planCall(seed: string, number: number): CallPlan {
  const random = createRandom(`${seed} call ${number}`);
  const coin = (chance: number): boolean => random.next() < chance;
  const name = (): string => random.pick(coin(0.25) ? TARGETS : NAMES);
  return {
    number,
    door: random.pick(DOORS),
    streaming: coin(0.6),
    model: name(),
    fallbacks: coin(0.15) ? [name(), name()] : [],
    deadlineMs: coin(0.5) ? 200 + random.int(4_000) : undefined,
    cancelMs: coin(0.12) ? random.int(700) : undefined,
    hedgeMs: coin(0.2) ? 50 + random.int(400) : undefined,
    strict: coin(0.1),
    hasTopK: coin(0.1),
  };
}

/** Makes the call. It does not fail: how the call failed is in what it returns. */
export async function makeCall(door: DoorClient, plan: CallPlan): Promise<CallOutcome> {
  const { number, streaming, model, fallbacks, deadlineMs, cancelMs, hedgeMs, strict, hasTopK } = plan;
  const params: Params = {
    model,
    messages: [{ role: Role.USER, content: [{ kind: { case: "text", value: `This is call ${number}.` } }] }],
    ...(hasTopK ? { topK: 5 } : {}),
  };
  const client = new AbortController();
  const settings: CallSettings = {
    options: {
      ...(strict ? { strict } : {}),
      ...(fallbacks.length > 0 ? { fallbackModels: [...fallbacks] } : {}),
      ...(hedgeMs === undefined ? {} : { hedgeAfter: durationFromMs(hedgeMs) }),
    },
    headers: { "x-request-id": requestIdOf(number) },
    signal: client.signal,
    ...(deadlineMs === undefined ? {} : { timeoutMs: deadlineMs }),
  };
  let cancelledAt: number | undefined;
  const cancel = setTimeout(
    () => {
      cancelledAt = performance.now();
      client.abort();
    },
    cancelMs ?? 2 ** 30,
  );
  // A call that never ends would be waited for in vain.
  const giveUp = setTimeout(() => client.abort(), 3 * TOTAL_MS);
  let text = "";
  let finishes = 0;
  let thrown: unknown;
  const startedAt = performance.now();
  try {
    if (streaming) {
      for await (const { choices } of door.stream(params, settings)) {
        for (const { delta, finishReason } of choices) {
          text += delta?.content ?? "";
          if (finishReason !== FinishReason.UNSPECIFIED) finishes += 1;
        }
      }
    } else {
      const { choices } = await door.complete(params, settings);
      for (const { message, finishReason } of choices) {
        text += textOf(message?.content ?? []);
        if (finishReason !== FinishReason.UNSPECIFIED) finishes += 1;
      }
    }
  } catch (error) {
    thrown = error ?? new Error("nothing was thrown");
  } finally {
    clearTimeout(cancel);
    clearTimeout(giveUp);
  }
  return { plan, startedAt, endedAt: performance.now(), cancelledAt, text, finishes, thrown };
}

/** The id that a call gives itself. */
export const requestIdOf = (number: number): string => `call-${number}`;

const textOf = (parts: readonly { readonly kind: { readonly case?: unknown; readonly value?: unknown } }[]): string =>
  parts.map(({ kind }) => (kind.case === "text" ? String(kind.value) : "")).join("");
