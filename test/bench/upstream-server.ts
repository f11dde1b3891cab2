/** The upstream of the providers that are measured: it streams what the name of the model says, in the form of the path's family. */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { answerAsServer } from "./child-side.ts";
import { FAMILIES, type Family, PATHS, shapeOf, writesOf } from "./upstream-streams.ts";

const made = new Map<string, readonly Buffer[]>();

/** The writes of a stream, which are made once. */
function streamOf(family: Family, model: string): readonly Buffer[] | undefined {
  const key = `${family} ${model}`;
  const shape = shapeOf(model);
  if (shape !== undefined && !made.has(key)) made.set(key, writesOf(family, shape));
  return made.get(key);
}

async function answer(response: http.ServerResponse, writes: readonly Buffer[]): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const write of writes) {
    response.write(write);
    await nextTurn(); // So that the next write is a packet of its own.
  }
  response.end();
}

const server = http.createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const text = Buffer.concat(parts).toString();
    const { url = "" } = request;
    const model = /\/models\/([^:/]+):/.exec(url)?.[1] ?? (text === "" ? "" : (JSON.parse(text) as Body).model);
    const family = FAMILIES.find((name) => url.split("?")[0] === PATHS[name](model).split("?")[0]);
    const writes = family === undefined ? undefined : streamOf(family, model);
    if (writes === undefined) response.writeHead(404).end();
    else void answer(response, writes);
  });
});
interface Body {
  readonly model: string;
}
server.listen(0, "127.0.0.1");
await once(server, "listening");
answerAsServer((server.address() as AddressInfo).port);
