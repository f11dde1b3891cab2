import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The HTTP/1.1 requests that are being answered. HTTP/2 does this book-keeping itself. */
export interface Exchanges {
  /** Takes in a request before its handler sees it. Returns true for the first one of its connection. */
  begin(request: IncomingMessage, response: ServerResponse): boolean;
  /** Whether an error can be written to a socket without mixing it into, or adding it behind, another answer. */
  isAnswerable(socket: object): boolean;
  /** From now on every connection ends with the answer that is being written, or comes next. */
  finish(): void;
}

/** What one connection is at: how many answers are open, and the last request, which errors on the socket are about. */
interface Dialogue {
  open: number;
  request: IncomingMessage;
  response: ServerResponse;
}

/** Makes an empty book of exchanges. */
export function createExchanges(): Exchanges {
  const dialogues = new WeakMap<object, Dialogue>();
  const unanswered = new Set<ServerResponse>();
  let finishing = false;

  const end = (dialogue: Dialogue, response: ServerResponse, socket: Socket): void => {
    unanswered.delete(response);
    dialogue.open -= 1;
    // An answer whose head was out before finish() has promised to keep the connection.
    if (finishing && dialogue.open === 0) socket.destroySoon();
  };

  return {
    begin(request, response) {
      const { socket } = request;
      const known = dialogues.get(socket);
      const dialogue = known ?? { open: 0, request, response };
      if (known === undefined) dialogues.set(socket, dialogue);
      dialogue.open += 1;
      dialogue.request = request;
      dialogue.response = response;
      unanswered.add(response);
      if (finishing) response.shouldKeepAlive = false;
      response.once("close", () => end(dialogue, response, socket));
      return known === undefined;
    },
    isAnswerable(socket) {
      const dialogue = dialogues.get(socket);
      if (dialogue === undefined) return true;
      const { open, request, response } = dialogue;
      if (request.complete) return open === 0; // The error is about a request after that one.
      return open === 1 && !response.headersSent;
    },
    finish() {
      finishing = true;
      for (const response of unanswered) response.shouldKeepAlive = false;
    },
  };
}
