/**
 * The least that a proxy can do: it passes the request on, and pipes the bytes of the answer back. It reads nothing of them. The
 * upstream's address is its first argument.
 */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { Pool } from "undici";
import { answerAsServer } from "./child-side.ts";

const upstream = new Pool(process.argv[2] as string);

const server = http.createServer(async (request, response) => {
  const { url: path = "/", headers } = request;
  const answer = await upstream.request({
    method: "POST",
    path,
    headers: { "content-type": headers["content-type"], "content-length": headers["content-length"] },
    body: request,
  });
  response.writeHead(answer.statusCode, { "content-type": String(answer.headers["content-type"]) });
  await pipeline(answer.body, response);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
answerAsServer((server.address() as AddressInfo).port);
