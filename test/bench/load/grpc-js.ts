import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { checkMarks } from "./http1.ts";
import type { Call, ClosedLoad, LoadClient } from "./load.ts";
import { MarkReader } from "./mark.ts";

/** Opens clients of @grpc/grpc-js, which send and take messages as bytes. A stream is told from a unary call by its marks. */
export async function openGrpcJs({ call, connections, callsEach }: ClosedLoad): Promise<LoadClient> {
  // Without a pool of its own, all clients would share one connection.
  const options = { "grpc.use_local_subchannel_pool": 1 };
  const clients = Array.from(
    { length: connections },
    () => new Client(`127.0.0.1:${call.port}`, credentials.createInsecure(), options),
  );
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(call.headers)) metadata.set(name, value);
  const lines = clients.flatMap((client) => Array.from({ length: callsEach }, () => client));
  return {
    run: async (isOver, onAnswer) => {
      await Promise.all(
        lines.map(async (client) => {
          do {
            await callOnce(client, metadata, call);
            onAnswer();
          } while (!isOver());
        }),
      );
    },
    close: () => {
      for (const client of clients) client.close();
    },
  };
}

const asBytes = (bytes: Buffer): Buffer => bytes;

async function callOnce(client: Client, metadata: Metadata, { path, body, mark, marks }: Call): Promise<void> {
  const reader = new MarkReader(mark);
  const message = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  await new Promise<void>((resolve, reject) => {
    if (marks > 1) {
      const stream = client.makeServerStreamRequest(path, asBytes, asBytes, message, metadata);
      stream.on("data", (data: Buffer) => reader.push(data));
      stream.on("error", reject);
      stream.on("end", resolve);
    } else {
      client.makeUnaryRequest(path, asBytes, asBytes, message, metadata, (error, answer) => {
        if (error !== null) reject(error);
        else if (answer !== undefined) reader.push(answer);
        resolve();
      });
    }
  });
  checkMarks(reader.count, marks);
}
