import type { ServerHttp2Session } from "node:http2";
import type { Connections, Peer } from "./connections.ts";
import type { ServerOptions } from "./options.ts";

/** The HTTP/2 sessions. */
export interface Sessions {
  /** Takes in a session as it begins: from now on its silences are timed. */
  add(session: ServerHttp2Session): void;
  /**
   * Sends GOAWAY on every session. Streams that are open go on, and the connection ends with the last of them. Streams that the
   * client opens later are ignored, as RFC 9113 §6.8 has it: the frame names the last stream that counts, and the client is free
   * to repeat the rest elsewhere.
   */
  finish(): void;
}

/** Makes an empty set of sessions. */
export function createSessions(options: ServerOptions, connections: Connections): Sessions {
  const open = new Set<WatchedSession>();
  let finishing = false;

  return {
    add(session) {
      const { remoteAddress, remotePort } = session.socket;
      const peer: Peer = { remoteAddress, remotePort };
      connections.spoke(peer);
      const watched = watchSession(session, options, () => {
        // A graceful end waits for the client to hang up, which a client that does not look at its socket never does.
        session.close();
        connections.hangUp(peer);
      });
      open.add(watched);
      session.once("close", () => open.delete(watched));
      if (finishing) watched.finish();
    },
    finish() {
      finishing = true;
      for (const watched of open) watched.finish();
    },
  };
}

interface WatchedSession {
  finish(): void;
}

/**
 * Times a session: its client's settings have to arrive, and it may not be without streams for long. Node's own session timeout
 * is of no use here, as it would also end a session whose streams wait for a slow model. `end` is called when the session has
 * nothing left to do, or was idle for too long.
 */
function watchSession(session: ServerHttp2Session, options: ServerOptions, end: () => void): WatchedSession {
  let streams = 0;
  let finishing = false;
  const endIfIdle = (): void => {
    if (streams === 0) end();
  };
  let idle = setTimeout(endIfIdle, options.headersTimeoutMs);
  session.once("remoteSettings", () => {
    clearTimeout(idle);
    if (!session.destroyed) idle = setTimeout(endIfIdle, options.keepAliveTimeoutMs);
  });
  session.once("close", () => clearTimeout(idle));
  const streamClosed = (): void => {
    streams -= 1;
    if (finishing) endIfIdle();
    else if (streams === 0) idle.refresh();
  };
  session.on("stream", (stream) => {
    streams += 1;
    stream.on("close", streamClosed);
  });
  return {
    finish() {
      finishing = true;
      session.close();
      endIfIdle();
    },
  };
}
