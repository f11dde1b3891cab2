/** The gateway without doors, in front of providers that answer at once: what is left is what it does itself. */
import { create } from "@bufbuild/protobuf";
import { OPEN_CALLER } from "../../src/admission/caller.ts";
import type { ModelNameSettings } from "../../src/config/settings.ts";
import { createGateway } from "../../src/gateway/gateway.ts";
import { CreateChatCompletionRequestSchema } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import {
  type ChatCompletion,
  ChatCompletionSchema,
  ChoiceSchema,
  FinishReason,
} from "../../src/gen/parley/chat/v1/completion_pb.ts";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { ModelSchema } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import type { Catalogue } from "../../src/routing/catalogue.ts";
import { CallLog } from "../../src/telemetry/call-log.ts";
import type { Backend } from "../../src/upstream/backend.ts";
import { catalogueOf, idleBackend, NO_LIMITER, ONE_TRY, ROUTING } from "../support/routing.ts";
import { answerQuestions } from "./child-side.ts";
import { ROUTES, type RoutingTrial } from "./routing.ts";

const CHOICE = {
  message: { content: [{ kind: { case: "text" as const, value: "a" } }] },
  finishReason: FinishReason.STOP,
};
const answer = (): ChatCompletion => create(ChatCompletionSchema, { choices: [create(ChoiceSchema, CHOICE)] });

function createQuickBackend(at: number): Backend {
  const price = BigInt(1_000_000 + ((at * 37) % 50) * 10_000);
  const models = [create(ModelSchema, { id: "m", contextWindow: 100_000, pricing: { input: price, output: price } })];
  return idleBackend(`p${at}`, {
    models: () => models,
    plan: () => ({
      adjustments: [],
      promptTokens: undefined,
      describe: () => undefined,
      complete: async () => answer(),
      stream: () => {
        throw new Error("nobody streams");
      },
    }),
  });
}

/** A gateway whose every name, and "auto", stands for so many targets. */
function createRig(count: number) {
  const backends = Array.from({ length: count }, (_, at) => createQuickBackend(at));
  const targets = backends.map(({ id }) => `${id}/m`);
  const name = (id: string, more: Partial<ModelNameSettings> = {}): ModelNameSettings => ({
    id,
    targets,
    policy: "quality",
    weights: new Map(),
    ...more,
  });
  const catalogue = catalogueOf(backends, targets, {
    // Who is down stays so.
    routing: { ...ROUTING, breaker: { ...ROUTING.breaker, openMs: 3_600_000, maxOpenMs: 3_600_000 } },
    models: [
      name("quality"),
      name("cost", { policy: "cost" }),
      name("latency", { policy: "latency" }),
      name("weights", { weights: new Map(targets.map((target, at) => [target, at + 1])) }),
    ],
  });
  return { catalogue, operations: createGateway(catalogue, ONE_TRY, NO_LIMITER).operations };
}

/** Opens the breakers of all targets but the last one. */
function breakDown(catalogue: Catalogue): void {
  for (const { target } of catalogue.resolve("auto").candidates.slice(0, -1))
    for (let call = 0; call < ROUTING.breaker.minCalls; call++) target.state.breaker.admit()?.failed();
}

const rigs = new Map<string, ReturnType<typeof createRig>>();
function rigOf({ route, targets }: RoutingTrial): ReturnType<typeof createRig> {
  const isDown = route === "down";
  const key = `${isDown}/${targets}`;
  const known = rigs.get(key);
  if (known !== undefined) return known;
  const rig = createRig(targets);
  if (isDown) breakDown(rig.catalogue);
  rigs.set(key, rig);
  return rig;
}

/** Makes calls, one after the other, and returns the CPU time that each took, in µs. */
async function run(trial: RoutingTrial): Promise<number> {
  const { operations } = rigOf(trial);
  const messages = [{ role: Role.USER, content: [{ kind: { case: "text" as const, value: "Say something" } }] }];
  const request = create(CreateChatCompletionRequestSchema, {
    params: { model: ROUTES[trial.route].model, messages },
  });
  const client = new AbortController();
  const before = process.cpuUsage();
  for (let call = 0; call < trial.calls; call++) {
    const log = new CallLog("req_1", "grpc");
    const { report } = await operations.createChatCompletion(request, {
      caller: OPEN_CALLER,
      log,
      signal: client.signal,
      timeoutMs: undefined,
    });
    if (report?.provider === "") throw new Error("nobody answered");
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / trial.calls;
}

answerQuestions((question) => run(question as RoutingTrial));
