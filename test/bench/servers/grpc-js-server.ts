/**
 * The same rpcs on @grpc/grpc-js, from the same contract. It repeats the last message as the sandbox does: it builds the answer and writes
 * it. It checks nothing, counts no tokens and logs nothing.
 */
import { type Done, type Request, reportOf, type StreamCall, serveGrpcJs, type UnaryCall } from "./grpc-js-service.ts";
import { answerAsServer } from "./server-side.ts";
import { USAGE } from "./usage.ts";

const created = Math.floor(Date.now() / 1000);
const frame = ({ model }: Request["params"]) => ({ id: "chatcmpl-0123456789abcdefghijklmn", created, model });
const service = { service_tier: "SERVICE_TIER_DEFAULT", system_fingerprint: "fp_0123456789" };
const report = reportOf("sandbox/echo");
const lastOf = ({ params }: Request): string =>
  params.messages.findLast(({ role }) => role === "ROLE_USER")?.content[0]?.text ?? "";

function createChatCompletion({ request }: UnaryCall, done: Done): void {
  const message = { role: "ROLE_ASSISTANT", content: [{ text: lastOf(request) }] };
  const choices = [{ index: 0, message, finish_reason: "FINISH_REASON_STOP" }];
  done(null, { completion: { ...frame(request.params), choices, usage: USAGE, ...service }, report });
}

function streamChatCompletion(call: StreamCall): void {
  const { request } = call;
  const send = (delta: object, finish_reason?: string): void => {
    const choices = [{ index: 0, delta, ...(finish_reason === undefined ? {} : { finish_reason }) }];
    call.write({ chunk: { ...frame(request.params), choices, ...service } });
  };
  send({ role: "ROLE_ASSISTANT", content: "" });
  for (const content of lastOf(request).split(/(?= )/)) send({ content });
  send({}, "FINISH_REASON_STOP");
  call.write({ chunk: { ...frame(request.params), choices: [], usage: USAGE }, report });
  call.end();
}

answerAsServer(await serveGrpcJs({ createChatCompletion, streamChatCompletion }));
