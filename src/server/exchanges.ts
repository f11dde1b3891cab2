import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Listed, Roster } from "../lib/roster.ts";

/** The HTTP/1.1 requests that are being answered. HTTP/2 does this book-keeping itself. */
export interface Exchanges {
  /**
   * Takes in a request, and calls `answer` when it is its turn: a connection's requests are answered one after the other. Were
   * they answered at once, one client could have any number of calls with one connection, and Node would stop reading when it
   * holds too much of the later answers, and so not hear that the client went away. Returns true for the first request of its
   * connection.
   */
  begin(request: IncomingMessage, response: ServerResponse, answer: () => void): boolean;
  /** Whether an error can be written to a socket without mixing it into, or adding it behind, another answer. */
  isAnswerable(socket: object): boolean;
  /** The response to the request that is on its way in; undefined where no handler has seen it yet. */
  unfinishedResponse(socket: object): ServerResponse | undefined;
  /** From now on every connection ends with the answer that is being written, or comes next. */
  finish(): void;
}

/** Requests that may wait behind the one that is being answered. No client sends so many ahead; the connection ends. */
const MAX_WAITING = 100;

/** What one connection is at: how many answers are open, and the last request, which errors on the socket are about. */
interface Dialogue {
  open: number;
  /** Begin the answers that are not begun yet, in order. */
  readonly waiting: (() => void)[];
  request: IncomingMessage;
  response: ServerResponse;
}

/** An answer that is not over. */
interface Unanswered extends Listed {
  readonly response: ServerResponse;
}

/** Makes an empty book of exchanges. */
export function createExchanges(): Exchanges {
  const dialogues = new WeakMap<object, Dialogue>();
  const unanswered = new Roster<Unanswered>();
  let finishing = false;

  const end = (dialogue: Dialogue, exchange: Unanswered, socket: Socket): void => {
    unanswered.delete(exchange);
    dialogue.open -= 1;
    if (socket.destroyed) return;
    const answerNext = dialogue.waiting.shift();
    if (answerNext !== undefined) answerNext();
    // An answer whose head was out before finish() has promised to keep the connection.
    else if (finishing) socket.destroySoon();
  };

  return {
    begin(request, response, answer) {
      const { socket } = request;
      const known = dialogues.get(socket);
      const dialogue = known ?? { open: 0, waiting: [], request, response };
      if (known === undefined) dialogues.set(socket, dialogue);
      dialogue.open += 1;
      dialogue.request = request;
      dialogue.response = response;
      const exchange: Unanswered = { response, place: -1 };
      unanswered.add(exchange);
      if (finishing) response.shouldKeepAlive = false;
      response.once("close", () => end(dialogue, exchange, socket));
      if (dialogue.open === 1) answer();
      else if (dialogue.waiting.push(answer) > MAX_WAITING) socket.destroy();
      return known === undefined;
    },
    isAnswerable(socket) {
      const dialogue = dialogues.get(socket);
      if (dialogue === undefined) return true;
      const { open, request, response } = dialogue;
      if (request.complete) return open === 0; // The error is about a request after that one.
      return open === 1 && !response.headersSent;
    },
    unfinishedResponse(socket) {
      const dialogue = dialogues.get(socket);
      return dialogue === undefined || dialogue.request.complete ? undefined : dialogue.response;
    },
    finish() {
      finishing = true;
      for (const { response } of unanswered) response.shouldKeepAlive = false;
    },
  };
}
