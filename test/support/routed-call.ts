import type { ChatCompletion, ChatCompletionChunk } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Attempt_Move, Attempt_Outcome, type CallReport } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { DoorError } from "./door-error.ts";
import type { CallSettings, DoorClient, Params } from "./doors.ts";
import { fold } from "./fold.ts";

/** What came of a call, on whichever door. */
export interface Outcome {
  /** The answer; a streamed one is folded, and its grammar is checked. Undefined where the call failed. */
  readonly completion: ChatCompletion | undefined;
  /** What was said, also before a failure. */
  readonly text: string;
  readonly error: DoorError | undefined;
  /** The last report; undefined on REST, and where there is none. */
  readonly report: CallReport | undefined;
  /** The headers of the answer, on REST. */
  readonly headers: Pick<Headers, "get"> | undefined;
  /** The attempts as both the reports and `x-parley-attempts` tell them: "openai/m=overloaded"; without their times. */
  readonly tried: readonly string[];
  /** What was done after each attempt: "NEXT_TARGET"; undefined on REST. */
  readonly moves: readonly string[] | undefined;
}

/** How a call is made. */
export interface RoutedCall extends CallSettings {
  readonly streaming: boolean;
}

/** Makes a call, and says what came of it; a failure is no failure of this. */
export async function callOn(door: DoorClient, params: Params, call: RoutedCall): Promise<Outcome> {
  let report: CallReport | undefined;
  let headers: Pick<Headers, "get"> | undefined;
  const settings: CallSettings = {
    ...call,
    onReport: (told) => {
      report = told;
    },
    onHeaders: (told) => {
      headers = told;
    },
  };
  const chunks: ChatCompletionChunk[] = [];
  let completion: ChatCompletion | undefined;
  let error: DoorError | undefined;
  try {
    if (call.streaming) {
      for await (const chunk of door.stream(params, settings)) chunks.push(chunk);
      completion = fold(chunks);
    } else completion = await door.complete(params, settings);
  } catch (thrown) {
    if (!(thrown instanceof DoorError)) throw thrown;
    error = thrown;
  }
  const said = chunks.map(({ choices }) => choices[0]?.delta?.content ?? "").join("");
  return {
    completion,
    text: completion === undefined ? said : textOf(completion),
    error,
    report,
    headers,
    tried: report === undefined ? triedIn(headers?.get("x-parley-attempts")) : report.attempts.map(asHeader),
    moves: report?.attempts.map(({ move }) => Attempt_Move[move] as string),
  };
}

const textOf = ({ choices }: ChatCompletion): string =>
  (choices[0]?.message?.content ?? []).map(({ kind }) => (kind.case === "text" ? kind.value : "")).join("");

/** The header of a stream goes out with the first output: an attempt that answers has not ended then. */
const triedIn = (header: string | null | undefined): string[] =>
  header ? header.split(", ").map((item) => item.replace(/;ms=\d+$/, "").replace(/=answering$/, "=succeeded")) : [];

function asHeader({ target, outcome, reason }: CallReport["attempts"][number]): string {
  const word = outcome === Attempt_Outcome.FAILED ? Reason[reason] : Attempt_Outcome[outcome];
  return `${target}=${String(word).toLowerCase()}`;
}
