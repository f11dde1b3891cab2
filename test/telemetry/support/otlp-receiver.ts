/** A collector: takes what OTLP exporters send, and decodes of it what tests look at. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** A span, as it came. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  readonly status: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
}

/** A collector that listens. */
export interface OtlpReceiver {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** Attributes of those who sent. */
  readonly resources: Readonly<Record<string, unknown>>[];
  /** Names of the metrics that came. */
  readonly metrics: Set<string>;
  readonly headers: IncomingHttpHeaders[];
  close(): void;
}

/** Opens a collector; `answers` says whether it answers. */
export async function openReceiver(answers = true): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const resources: Record<string, unknown>[] = [];
  const metrics = new Set<string>();
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const bytes = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
    headers.push(request.headers);
    for (const [, of] of messages(bytes, 1)) {
      for (const [, resource] of messages(of, 1)) resources.push(attributesOf(resource, 1));
      for (const [, scope] of messages(of, 2)) {
        for (const [, item] of messages(scope, 2)) {
          if (request.url === "/v1/traces") spans.push(readSpan(item));
          else metrics.add(text(read(item).get(1)?.[0]));
        }
      }
    }
    if (answers) response.end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    resources,
    metrics,
    headers,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

type Value = bigint | number | Uint8Array;

/** The fields of a message by their numbers: those with a length as bytes, varints and fixed ones as numbers. */
function read(bytes: Uint8Array): Map<number, Value[]> {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, Value[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    let value: Value;
    if (type === WireType.LengthDelimited) value = reader.bytes();
    else if (type === WireType.Bit64) value = BigInt(reader.fixed64());
    else if (type === WireType.Varint) value = BigInt(reader.int64());
    else value = reader.fixed32();
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

const messages = (bytes: Uint8Array, number: number): [number, Uint8Array][] =>
  (read(bytes).get(number) ?? []).map((value) => [number, value as Uint8Array]);
const text = (value: Value | undefined): string =>
  Buffer.from((value as Uint8Array | undefined) ?? []).toString("utf8");
const hex = (value: Value | undefined): string => Buffer.from((value as Uint8Array | undefined) ?? []).toString("hex");

function attributesOf(bytes: Uint8Array, number: number): Record<string, unknown> {
  return Object.fromEntries(
    messages(bytes, number).map(([, pair]) => {
      const fields = read(pair);
      return [text(fields.get(1)?.[0]), anyValueOf(fields.get(2)?.[0] as Uint8Array)];
    }),
  );
}

/** An AnyValue. */
function anyValueOf(bytes: Uint8Array): unknown {
  const [number, [value] = []] = [...read(bytes)][0] ?? [];
  if (number === 1) return text(value);
  if (number === 2) return value === 1n;
  if (number === 3) return Number(value);
  if (number === 4) return new Float64Array(new BigUint64Array([value as bigint]).buffer)[0];
  return messages(value as Uint8Array, 1).map(([, item]) => anyValueOf(item));
}

function readSpan(bytes: Uint8Array): ReceivedSpan {
  const fields = read(bytes);
  const [status] = messages(bytes, 15).map(([, it]) => Number(read(it).get(3)?.[0] ?? 0));
  return {
    traceId: hex(fields.get(1)?.[0]),
    spanId: hex(fields.get(2)?.[0]),
    parentSpanId: hex(fields.get(4)?.[0]),
    name: text(fields.get(5)?.[0]),
    kind: Number(fields.get(6)?.[0]),
    startNanos: fields.get(7)?.[0] as bigint,
    endNanos: fields.get(8)?.[0] as bigint,
    status: status ?? 0,
    attributes: attributesOf(bytes, 9),
    events: messages(bytes, 11).map(([, event]) => ({
      name: text(read(event).get(2)?.[0]),
      attributes: attributesOf(event, 3),
    })),
  };
}
