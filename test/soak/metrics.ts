import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

/** One number of the gateway's metrics. */
export interface Metric {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads a page on a connection of its own, which is closed afterwards. */
async function read(url: string): Promise<string> {
  const [response] = (await once(get(url, { agent: false }), "response")) as [IncomingMessage];
  return text(response);
}

/** Asks the gateway whether it is there, and waits for the answer. */
export const ping = async (url: string): Promise<void> => void (await read(`${url}/healthz`));

/** Reads GET /metrics. */
export async function readMetrics(url: string): Promise<readonly Metric[]> {
  const lines = (await read(`${url}/metrics`)).split("\n");
  return lines.flatMap((line) => {
    const [, name = "", labels = "", value] = /^([a-z_]+)(?:\{(.*)\})? ([\d.e+-]+)/.exec(line) ?? [];
    if (value === undefined) return [];
    const pairs = [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, key = "", said = ""]) => [key, said]);
    return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
  });
}

/** The numbers of one name, added up by what a label says; those without it under "". */
export function sumBy(metrics: readonly Metric[], name: string, label: string): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const metric of metrics) {
    if (metric.name !== name) continue;
    const key = metric.labels[label] ?? "";
    sums.set(key, (sums.get(key) ?? 0) + metric.value);
  }
  return sums;
}

/** The sum of all numbers of that name. */
export const totalOf = (metrics: readonly Metric[], name: string): number =>
  metrics.reduce((sum, metric) => (metric.name === name ? sum + metric.value : sum), 0);
