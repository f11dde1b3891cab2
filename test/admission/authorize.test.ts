import { describe, expect, it } from "vitest";
import { authorize, checkScopes } from "../../src/admission/authorize.ts";
import { type Caller, OPEN_CALLER } from "../../src/admission/caller.ts";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { ChatService } from "../../src/gen/parley/chat/v1/chat_service_pb.ts";
import { KeysService } from "../../src/gen/parley/keys/v1/keys_service_pb.ts";
import { ModelsService } from "../../src/gen/parley/models/v1/models_service_pb.ts";
import { RequestsService } from "../../src/gen/parley/requests/v1/requests_service_pb.ts";
import { RunsService } from "../../src/gen/parley/runs/v1/runs_service_pb.ts";
import { Scope } from "../../src/gen/parley/scopes/v1/scopes_pb.ts";
import { failureOf } from "./support/reason.ts";

const SERVICES = [ChatService, ModelsService, RunsService, KeysService, RequestsService];
const callerWith = (...scopes: Scope[]): Caller => ({ ...OPEN_CALLER, id: "k", scopes: new Set(scopes) });

describe("authorize()", () => {
  const METHODS = SERVICES.flatMap((service) => service.methods.map((method) => ({ service, method })));

  it.each([
    [Scope.CHAT, ["CreateChatCompletion", "StreamChatCompletion", "ExplainChatCompletion"]],
    [Scope.MODELS, ["ListModels", "GetModel"]],
    [Scope.RUNS, ["CreateRun", "GetRun", "WaitRun", "WatchRun", "ListRuns", "CancelRun", "DeleteRun"]],
    [
      Scope.ADMIN,
      ["CreateKey", "GetKey", "ListKeys", "UpdateKey", "RevokeKey", "ListRequests", "GetRequest", "SummarizeUsage"],
    ],
    [Scope.REQUESTS, ["ListRequests", "GetRequest", "SummarizeUsage"]],
  ])("lets the scope %i call its methods, and no others", async (scope, names) => {
    const caller = callerWith(scope);
    const reasons = await Promise.all(METHODS.map(({ method }) => failureOf(() => authorize(caller, method))));
    const allowed = METHODS.filter((_, index) => reasons[index] === "none").map(({ method }) => method.name);
    expect(allowed.sort()).toEqual([...names].sort());
  });

  it("names the scope that is missing", async () => {
    expect(await failureOf(() => authorize(callerWith(Scope.CHAT), KeysService.method.createKey))).toBe(
      'PERMISSION_DENIED: CreateKey needs the scope "admin", which this key or token does not have',
    );
    expect(await failureOf(() => authorize(callerWith(), RequestsService.method.listRequests))).toMatch(
      /^PERMISSION_DENIED: ListRequests needs the scope "requests" or "admin", /,
    );
  });

  it("lets everybody ask for health and by reflection", async () => {
    const methods = [...Health.methods, ...ServerReflection.methods];
    for (const method of methods) expect(await failureOf(() => authorize(callerWith(), method))).toBe("none");
  });

  it("lets the caller of an open gateway do everything", async () => {
    for (const { method } of METHODS) expect(await failureOf(() => authorize(OPEN_CALLER, method))).toBe("none");
  });
});

describe("checkScopes()", () => {
  it("finds that all rpcs of the API say who may call them", () => {
    expect(() => checkScopes([...SERVICES, Health])).not.toThrow();
  });

  it("throws for one that does not", () => {
    const method = Object.create(Health.method.check, { parent: { value: { typeName: "parley.odd.v1.OddService" } } });
    const service = Object.create(ChatService, { methods: { value: [method] } }) as typeof ChatService;
    expect(() => checkScopes([service])).toThrow("parley.odd.v1.OddService.Check has no option");
  });
});
