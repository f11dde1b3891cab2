import { describe, expect, it } from "vitest";
import { answerTo, chunk, decodeAll, encode, providerOf, thrownBy } from "./support.ts";

const asked = { functions: [{ name: "f" }] };
const call = (index: number, id: string) => ({
  index,
  id,
  type: "function",
  function: { name: "f", arguments: "{}" },
});
const user = { role: "user", content: "Hi" };

describe("functions at a server that knows tools only", () => {
  it.each([
    ["two calls", { tool_calls: [call(0, "a"), call(1, "b")] }],
    ["a call in each form", { tool_calls: [call(0, "a")], function_call: { name: "f", arguments: "{}" } }],
  ])("have no room for %s, so that none gets lost", (_what, said) => {
    const whole = { choices: [{ index: 0, message: said, finish_reason: "tool_calls" }] };
    const events = [chunk({ role: "assistant", ...said }), chunk({}, "tool_calls"), "[DONE]"];
    const refused = expect.objectContaining({ reasonName: "UPSTREAM_INVALID_RESPONSE" });
    expect(thrownBy(() => answerTo("vllm", whole, 1, asked))).toEqual(refused);
    expect(thrownBy(() => decodeAll("vllm", events, 1, asked))).toEqual(refused);
  });

  it("have no room for a second call in a later chunk", () => {
    const events = [chunk({ tool_calls: [call(0, "a")] }), chunk({ tool_calls: [call(1, "b")] })];
    expect(thrownBy(() => decodeAll("vllm", events, 1, asked)).reasonName).toBe("UPSTREAM_INVALID_RESPONSE");
  });

  it.each([
    ["tools", { functions: [{ name: "f" }] }, "functions"],
    ["tool_choice", { functions: [{ name: "f" }], function_call: { name: "f" } }, "function_call"],
    ["functions", { functions: [{ name: "f" }] }, "functions"],
  ])("are refused by their own name where the server takes no %s", (unsupported, more, param) => {
    const provider = providerOf({ vendor: "vllm", quirks: { unsupported: [unsupported] } });
    const thrown = thrownBy(() => encode(provider, { model: "m", messages: [user], ...more }));
    expect([thrown.reasonName, thrown.details.param]).toEqual(["UNSUPPORTED_PARAMETER", param]);
  });

  it("go as they are where the configuration says that the server takes them", () => {
    const provider = providerOf({ vendor: "vllm", quirks: { legacyFunctions: true } });
    const request = { model: "m", messages: [user], functions: [{ name: "f" }], function_call: "auto" };
    expect(JSON.parse(encode(provider, request).request.body ?? "")).toEqual(request);
  });
});
