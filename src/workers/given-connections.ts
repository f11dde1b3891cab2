import type { Socket } from "node:net";
import type { Address } from "../lib/address.ts";
import type { ConnectionSource } from "../server/options.ts";
import type { Channel } from "./channel.ts";
import type { PrimaryService } from "./protocol.ts";

/** The connections that the primary gives to this process, by the channel that Node has for them. `address`: where it listens. */
export function createGivenConnections(
  primary: Pick<Channel<PrimaryService>, "tell">,
  address: Address,
): ConnectionSource {
  let isClosed = false;
  return {
    address,
    open(take) {
      process.on("message", (id, socket: Socket | undefined) => {
        primary.tell("taken", Number(id));
        // One that could not be passed on is none any more.
        if (socket === undefined) primary.tell("closed");
        else {
          socket.once("close", () => primary.tell("closed"));
          if (isClosed) socket.destroy();
          else take(socket);
        }
      });
    },
    close() {
      isClosed = true;
    },
  };
}
