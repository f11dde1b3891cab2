import { Socket } from "node:net";
import type { Message, Pipe } from "./channel.ts";

/** Number of the pipe between primary and worker, behind those for text and the one for connections. */
export const PIPE = 4;

/** The worker's end of the pipe. */
export const openWorkerPipe = (): Pipe => pipeOver(new Socket({ fd: PIPE }));

/** Sends messages over a stream: JSON, a line for those that go together. */
export function pipeOver(socket: Socket): Pipe {
  let begun: string[] = [];
  // The other process has ended, which is told elsewhere.
  socket.on("error", () => undefined);
  return {
    send: (messages) => void socket.write(`${JSON.stringify(messages)}\n`),
    receive(heard) {
      socket.setEncoding("utf8").on("data", (text: string) => {
        const [first = "", ...others] = text.split("\n");
        begun.push(first);
        for (const next of others) {
          const line = begun.join("");
          begun = [next];
          heard(JSON.parse(line) as Message[]);
        }
      });
    },
  };
}
