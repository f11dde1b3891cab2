import { createLoad } from "./doors.ts";
import type { Load } from "./load.ts";
import { BODIES, isStreamed } from "./requests.ts";
import type { Measurement, ProviderMeasurement } from "./rows.ts";
import { modelOf, PATHS } from "./upstream-streams.ts";

/** What a measurement is called by, within a round. */
export const keyOf = (it: Measurement): string =>
  it.kind === "door" ? `${it.target}/${it.door}/${it.shape}` : `${it.target}/${it.family}/${modelOf(it)}`;

/** By what measurements are put in order: those of one shape stand together, so that they are measured in turn. */
export const shapeOf = (it: Measurement): string => (it.kind === "door" ? it.shape : `${it.family} ${modelOf(it)}`);

/** The calls of a measurement, to the server at that port. */
export const loadOf = (it: Measurement, port: number, seconds: number): Load =>
  it.kind === "door" ? createLoad(it.door, it.shape, port, seconds) : providerLoad(it, port, seconds);

/** Connections, with one call at a time on each. */
const CONNECTIONS = 16;

function providerLoad(it: ProviderMeasurement, port: number, seconds: number): Load {
  const model = modelOf(it);
  const isGateway = it.target === "providers";
  const body = {
    model: isGateway ? `${it.family}/${model}` : model,
    messages: [{ role: "user", content: "Say something" }],
    stream: true,
  };
  return {
    port,
    seconds,
    protocol: "http1",
    connections: CONNECTIONS,
    callsEach: 1,
    path: isGateway ? "/v1/chat/completions" : PATHS[it.family](model),
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(body)),
  };
}

/** Errors come with status 200 on some doors, but they are shorter than the text that is to be repeated, and its chunks. */
export function leastBytes(it: Measurement): number {
  if (it.kind === "provider") return 60 * it.words;
  const { content } = BODIES[it.shape].messages.at(-1) as { content: string };
  return isStreamed(it.shape) ? 60 * content.split(" ").length : content.length;
}
