import { once } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { expect, it } from "vitest";
import { hearRequest, hearStream, type StreamHearer } from "../../../src/rpc/grpc/hear-stream.ts";
import { echo, openSession, openStream, serve } from "../../server/harness.ts";

it("tells the hearer all of a stream up to its close, and nothing after it", async () => {
  const heard: string[] = [];
  const taken = Promise.withResolvers<ServerHttp2Stream>();
  const streamHandler = (stream: ServerHttp2Stream): string => {
    const hearer: StreamHearer = {
      pieceCame: (piece) => void heard.push(`piece ${piece.toString("utf8")}`),
      requestEnded() {
        heard.push("request ended");
        stream.respond({ ":status": 200 }, { waitForTrailers: true });
        stream.end("answer");
      },
      roomCame: () => void heard.push("room"),
      trailersWanted() {
        heard.push("trailers wanted");
        stream.sendTrailers({ end: "well" });
      },
      closed: () => void heard.push("closed"),
    };
    hearStream(stream, hearer);
    hearRequest(stream);
    taken.resolve(stream);
    return "the-id";
  };
  const server = await serve(echo, { streamHandler });
  const { stream, answer } = openStream(await openSession(server), "/");
  stream.end("all");
  const served = await taken.promise;
  await once(served, "close");
  expect((await answer).text).toBe("answer");
  const events = ["piece all", "request ended", "trailers wanted", "closed"];
  expect(heard).toEqual(events);
  served.emit("wantTrailers");
  served.emit("close");
  expect(heard).toEqual(events);
});
