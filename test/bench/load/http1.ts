import { encodeRequest, openConnection } from "./http1-connection.ts";
import type { ClosedLoad, LoadClient } from "./load.ts";
import { MarkReader } from "./mark.ts";

/** Opens an HTTP/1.1 client of connections that are kept alive, with one call at a time on each. */
export async function openHttp1({ call, connections }: ClosedLoad): Promise<LoadClient> {
  const request = encodeRequest(call);
  const open = await Promise.all(Array.from({ length: connections }, () => openConnection(call.port)));
  return {
    run: async (isOver, onAnswer) => {
      await Promise.all(
        open.map(async (connection) => {
          do {
            const marks = new MarkReader(call.mark);
            await connection.call(request, (data) => marks.push(data));
            checkMarks(marks.count, call.marks);
            onAnswer();
          } while (!isOver());
        }),
      );
    },
    close: () => {
      for (const connection of open) connection.close();
    },
  };
}

/** Throws for an answer that is not what was asked for. */
export function checkMarks(found: number, due: number): void {
  if (found !== due) throw new Error(`an answer has ${found} of the ${due} texts that it should have`);
}
