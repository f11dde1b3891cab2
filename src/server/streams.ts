import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Port } from "./listen.ts";
import type { ServerOptions } from "./options.ts";
import type { Refuser } from "./refuse.ts";
import { createStreamWatch } from "./watch-streams.ts";

/**
 * Lets go of all that a request and a response on a stream brought along. Node keeps the streams of a session in a Map, whose old tables keep what was in them until
 * the collector looks at what is old: with its listeners, that would be the whole state of each call.
 */
function letGo(this: ServerHttp2Stream): void {
  this.removeAllListeners();
}

type StreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: string[],
) => void;

/**
 * Offers each stream of HTTP/2 to the handler of streams before Node makes a request and a response of it for the other handler,
 * which would cost as much as the stream itself. To be called when the server has its listener of `request`.
 */
export function serveStreams(server: Port["http2"], options: ServerOptions, refuse: Refuser): void {
  const { streamHandler } = options;
  const watch = createStreamWatch(options, refuse);
  const compatibility = server.listeners("stream") as StreamListener[];
  const offer: StreamListener = (stream, headers, flags, rawHeaders) => {
    const id = streamHandler(stream, headers);
    if (id !== undefined) {
      watch(stream, id);
      return;
    }
    stream.on("close", letGo);
    for (const listener of compatibility) listener.call(server, stream, headers, flags, rawHeaders);
  };
  server.removeAllListeners("stream").on("stream", offer);
}
