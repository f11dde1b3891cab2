import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { beforeAll, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import type { CallReport } from "../../src/gen/parley/chat/v1/report_pb.ts";
import { useReplay } from "./gateway.ts";
import { paramsFor } from "./params-for.ts";
import { type Identity, readIdentity } from "./reading/identity.ts";
import { readRecording } from "./reading/read.ts";
import { loadRecordings, titleOf } from "./recordings.ts";

const recordings = loadRecordings();
const { url } = useReplay(recordings);
const rows = recordings.flatMap((recording) => {
  const reading = readRecording(recording);
  return reading.kind === "answer"
    ? [{ title: titleOf(recording), recording, params: paramsFor(recording, reading) }]
    : [];
});
type Row = (typeof rows)[number];

const TRANSPORTS = {
  grpc: () => createGrpcTransport({ baseUrl: url() }),
  "grpc-web": () => createGrpcWebTransport({ baseUrl: url(), httpVersion: "1.1" }),
  connect: () => createConnectTransport({ baseUrl: url(), httpVersion: "1.1" }),
} as const;

const told = ({ upstreamId = "", upstreamModel = "" }: CallReport): Identity => ({
  id: upstreamId,
  model: upstreamModel,
});

/** What the last report of a call says. */
async function reportOf(
  { recording, params }: Row,
  client: Client<typeof ChatService>,
): Promise<CallReport | undefined> {
  if (!recording.streaming) return (await client.createChatCompletion({ params })).report;
  let last: CallReport | undefined;
  for await (const { report } of client.streamChatCompletion({ params })) last = report ?? last;
  return last;
}

describe.each(Object.keys(TRANSPORTS) as (keyof typeof TRANSPORTS)[])("reports through %s", (door) => {
  let client: Client<typeof ChatService>;
  beforeAll(() => {
    client = createClient(ChatService, TRANSPORTS[door]());
  });

  it.each(rows)("say whose answer $title is", async (row) => {
    const report = await reportOf(row, client);
    expect(told(report as CallReport)).toEqual(readIdentity(row.recording));
    expect(report).toMatchObject({ provider: row.recording.provider, model: row.recording.name });
  });
});
