import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { createSandbox } from "../../src/providers/sandbox/provider.ts";
import { createScriptedBackend } from "../../src/upstream/scripted-backend.ts";

const backend = createScriptedBackend(createSandbox({ tokenDelayMs: 0 }));
const callOf = (text: string, n: number, signal = new AbortController().signal) => {
  const content = [{ kind: { case: "text" as const, value: text } }];
  const params = create(ChatCompletionParamsSchema, { n, messages: [{ role: Role.USER, content }] });
  return { plan: backend.plan({ model: "echo", params, streaming: false, tenant: "" }), signal };
};

type Call = ReturnType<typeof callOf>;
const complete = ({ plan, signal }: Call) => plan.complete(signal);
const stream = ({ plan, signal }: Call) => plan.stream(signal);

/** Counts the turns that others have while work goes on. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    if (isOver) return;
    turns++;
    setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

describe("createScriptedBackend()", () => {
  it("has no network, and tells what the provider can do", () => {
    expect([backend.vendor, backend.networked, backend.address]).toEqual(["sandbox", false, undefined]);
    expect(backend.abilitiesOf("echo")).toMatchObject({ tools: true, speech: false });
  });

  it("lets others have their turn between the choices of a whole answer", async () => {
    expect(await turnsDuring(() => complete(callOf("word ".repeat(100), 50)))).toBeGreaterThanOrEqual(49);
  });

  it("lets others have their turn within a stream that its reader keeps up with", async () => {
    let batches = 0;
    const turns = await turnsDuring(async () => {
      for await (const _ of stream(callOf("word ".repeat(3_000), 1))) batches++;
    });
    expect(batches).toBeGreaterThan(40);
    expect(turns).toBeGreaterThanOrEqual(batches - 1);
  });

  it("stops between choices when the call is cancelled", async () => {
    const controller = new AbortController();
    setImmediate(() => controller.abort(new Error("gone")));
    await expect(complete(callOf("word ".repeat(100), 50, controller.signal))).rejects.toThrow("gone");
  });
});
