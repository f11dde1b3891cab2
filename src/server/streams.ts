import { EventEmitter } from "node:events";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Port } from "./listen.ts";
import type { ServerOptions } from "./options.ts";
import type { Refuser } from "./refuse.ts";
import { createStreamWatch } from "./watch-streams.ts";

/**
 * Lets go of all that listens to a stream. Node keeps the streams of a session in a Map, whose old tables keep what was in them until
 * the collector looks at what is old: with their listeners, that would be more of each, and with those of a request and its response the
 * whole state of a call. Node itself hears of each listener that is taken off, which takes its time; so it is the first.
 */
function letGo(this: ServerHttp2Stream): void {
  removeAllListeners.call(this, "removeListener");
  removeAllListeners.call(this);
}

/** A stream's own would also look after who reads it, in another turn. */
const { removeAllListeners } = EventEmitter.prototype;

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
    stream.on("close", letGo);
    const id = streamHandler(stream, headers);
    if (id !== undefined) watch(stream, id);
    else for (const listener of compatibility) listener.call(server, stream, headers, flags, rawHeaders);
  };
  server.removeAllListeners("stream").on("stream", offer);
}
