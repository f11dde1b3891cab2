/** Streams of providers that break after some output: what came is passed on, then the typed error, and never a finish or [DONE]. */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type ChatCompletionChunk, FinishReason } from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { collect, failureOf } from "../support/collect.ts";
import { DOORS, type DoorClient } from "../support/doors.ts";
import { type ErrorRow, expectTold, ROWS } from "../support/error-rows.ts";
import { VENDORS, type Vendor } from "../support/stage-vendors.ts";
import { eventStream, type Reply } from "../support/upstream.ts";
import { ask, SECRET_WORDS, useVendorStage } from "../support/vendor-stage.ts";

const MIB = 1024 * 1024;

/** A line of a little more than 32 MiB, without an end. */
function* longLine(): Generator<string> {
  yield 'data: {"';
  for (let sent = 0; sent <= 32; sent++) yield "x".repeat(MIB);
}

/** What comes after the first output, what it counts as, and what is told of it; "ID" stands for the provider. */
interface Break {
  readonly what: string;
  readonly rest: (vendor: Vendor) => Iterable<string>;
  readonly ending?: Reply["ending"];
  readonly row: ErrorRow;
  readonly message: string;
}

const INTERRUPTED = "the stream of ID ended before its answer did; what came of it is not complete";

const cut = (what: string, ending: Reply["ending"], rest: Break["rest"] = () => []): Break => ({
  what,
  rest,
  ending,
  row: ROWS.interrupted,
  message: INTERRUPTED,
});

const BREAKS: readonly Break[] = [
  cut("a reset", "reset"),
  cut("the end of the connection", "close"),
  cut("the end of the body", "whole"),
  cut("a reset within an event", "reset", ({ said }) => [said(SECRET_WORDS).slice(0, -12)]),
  cut("the end of the body within an event", "whole", ({ said }) => [said(SECRET_WORDS).slice(0, -12)]),
  {
    what: "JSON that is none",
    rest: ({ said }) => [said("x").replace("}", `]${SECRET_WORDS}`)],
    row: ROWS.unreadable,
    message: "ID answered with an event that is no JSON",
  },
  {
    what: "a line of 32 MiB",
    rest: longLine,
    ending: "hold",
    row: ROWS.unreadable,
    message: "ID answered with an event stream in which no event came for more than 33554432 bytes",
  },
  {
    what: "an error",
    rest: ({ errorEvent, overloaded }) => [errorEvent(overloaded, SECRET_WORDS)],
    ending: "hold",
    row: ROWS.overloaded,
    message: "ID is overloaded",
  },
];

describe.each(VENDORS)("a stream of $id that breaks by", (vendor) => {
  const stage = useVendorStage();
  const begun = [...vendor.opening, vendor.said("Hello")];

  it.each(BREAKS)("$what", async ({ rest, ending = "whole", row, message }) => {
    stage.answer(() =>
      eventStream(
        (function* () {
          yield* begun;
          yield* rest(vendor);
        })(),
        ending,
      ),
    );
    for (const name of DOORS) {
      const next = stage.nextCall();
      const { chunks, error } = await readUntilFault(stage.door(name));
      expectTold(stage.door(name), error, vendor.id, { ...row, message: message.replace("ID", vendor.id) }, true);
      expectUnfinished(chunks);
      if (ending !== "whole") await (await next).closed;
    }
  });

  it("an end of its gzip before its end", async () => {
    const packed = gzipSync(begun.join(""));
    stage.answer({
      headers: { "content-type": "text/event-stream", "content-encoding": "gzip" },
      pieces: [packed.subarray(0, -8)],
      ending: "close",
    });
    for (const name of DOORS) {
      const error = await failureOf(collect(stage.door(name).stream(ask(vendor))));
      // Whether its text has been unpacked by then is open.
      const { type, code } = ROWS.interrupted;
      expect(error).toMatchObject({ type, code, message: INTERRUPTED.replace("ID", vendor.id) });
    }
  });

  it.each(BREAKS)("$what ends the event stream with the error, and no [DONE]", async ({
    rest,
    ending = "whole",
    row,
  }) => {
    stage.answer(() => eventStream([...begun, ...rest(vendor)], ending));
    const answer = await fetch(`${stage.gateway().url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: `${vendor.id}/large`, messages: [{ role: "user", content: "Hi" }], stream: true }),
    });
    expect(answer.status).toBe(200);
    const events = (await answer.text()).trimEnd().split("\n\n");
    const last = JSON.parse(events.at(-1)?.replace(/^data: /, "") ?? "");
    expect(last).toEqual({ error: { message: expect.any(String), type: row.type, code: row.code, param: null } });
    const others = events.slice(0, -1).join("\n");
    expect(others).toContain("Hello");
    expect(others).not.toMatch(/\[DONE\]|"finish_reason":"|"error"/);
    expect(others).not.toContain(SECRET_WORDS);
  });

  /** Reads a stream as far as it comes. */
  async function readUntilFault(door: DoorClient): Promise<{ chunks: ChatCompletionChunk[]; error: unknown }> {
    const chunks: ChatCompletionChunk[] = [];
    const reading = async (): Promise<void> => {
      for await (const chunk of door.stream(ask(vendor))) chunks.push(chunk);
    };
    return { error: await failureOf(reading()), chunks };
  }
});

/** Expects the text that came, and no finish and no usage behind it. */
function expectUnfinished(chunks: readonly ChatCompletionChunk[]): void {
  const choices = chunks.flatMap((chunk) => chunk.choices);
  const texts = choices.map(({ delta }) => delta?.content ?? "");
  expect(texts.join("")).toBe("Hello");
  expect(new Set(choices.map(({ finishReason }) => finishReason))).toEqual(new Set([FinishReason.UNSPECIFIED]));
  expect(chunks.filter(({ usage }) => usage !== undefined)).toEqual([]);
}
