import type { Message } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { toOpenAIError } from "../errors/openai-error.ts";
import type { CallReport } from "../gen/parley/chat/v1/report_pb.ts";
import { feedOf, readFeed } from "../lib/feed.ts";
import { stopQuietly } from "../lib/stop-quietly.ts";
import { answerEmpty, type Exchange, headersOf } from "./answer.ts";
import { type EventEncoder, encodeEvent } from "./event-encoder.ts";
import type { AnswerHeaders } from "./exchange.ts";
import { messageAt } from "./field-path.ts";
import { reportHeaders } from "./report-headers.ts";
import type { StreamTarget } from "./route-target.ts";
import { createSseWriter, type OpenWriters, type SseWriter } from "./sse-writer.ts";

/** What a stream is answered with. */
export interface StreamAnswer {
  readonly target: StreamTarget;
  readonly batches: AsyncIterable<readonly Message[]>;
  readonly encode: EventEncoder;
  /** Headers besides those of event streams and of the report. */
  readonly headers: AnswerHeaders;
  readonly keepAliveMs: number;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  readonly open: OpenWriters;
}

/**
 * Answers with an event stream. Nothing is sent before there is an event, or a long silence. What fails before that is
 * thrown; what fails after it is told to the client by a last event, and to the log. A stream that did not fail ends as its
 * encoder says. One of events with ids that has none is answered with 204, which tells an EventSource not to come again.
 */
export async function answerStream(exchange: Exchange, answer: StreamAnswer): Promise<void> {
  const { target, keepAliveMs, signal, open } = answer;
  let report: CallReport | undefined;
  const headers = (): AnswerHeaders => headersOf(exchange, [...answer.headers, ...reportHeaders(report)]);
  const writer = createSseWriter(exchange.response, { headers, keepAliveMs, signal, open });
  try {
    await pump(answer, writer, (found) => {
      report ??= found;
    });
    if (target.events !== undefined && !writer.committed) answerEmpty(exchange, 204, []);
    else writer.end(answer.encode.end());
  } catch (thrown) {
    if (!writer.committed) throw thrown;
    const error = GatewayError.from(thrown);
    exchange.log.failed(error);
    writer.end(encodeEvent(JSON.stringify(toOpenAIError(error))));
  } finally {
    writer.release();
  }
}

/**
 * Writes all batches, one write for each, as fast as they are read. Throws the signal's reason when the client goes
 * away. `reported` is given the report before there is an answer.
 */
async function pump(
  { target, batches, encode, signal }: StreamAnswer,
  writer: SseWriter,
  reported: (report: CallReport | undefined) => void,
): Promise<void> {
  const feed = feedOf(batches);
  // The loop itself leaves the feed only when the batch has come that it waits for.
  const stop = (): void => void stopQuietly(feed);
  signal.addEventListener("abort", stop);
  let isFirst = true;
  try {
    await readFeed(feed, (batch) => {
      const report = findReport(target, batch);
      let events = "";
      for (const message of batch) events += encode.encode(message);
      if (!writer.committed) reported(report);
      // The first and the last message have a report. The end comes right behind the last one: they go out together.
      const isLast = report !== undefined && !isFirst;
      isFirst = false;
      if (isLast) writer.hold(events);
      const pending = isLast || events === "" ? undefined : writer.write(events);
      signal.throwIfAborted();
      return pending;
    });
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function findReport({ report }: StreamTarget, batch: readonly Message[]): CallReport | undefined {
  if (report === undefined) return undefined;
  for (const message of batch) {
    const found = messageAt(message, report);
    if (found !== undefined) return found as CallReport;
  }
  return undefined;
}
