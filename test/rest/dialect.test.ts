import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import { ChatCompletionParamsSchema } from "../../src/gen/parley/chat/v1/params_pb.ts";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { prefersJson } from "../../src/rest/accept.ts";
import { checkDialect, dialectOf, wantsStream, wantsUsage } from "../../src/rest/dialect.ts";

describe("prefersJson()", () => {
  it.each<[accept: string | undefined, prefers: boolean]>([
    [undefined, false],
    ["", false],
    ["application/json", true],
    ["Application/JSON; charset=utf-8", true],
    ["application/*", true],
    ["application/json, text/plain, */*", true],
    ["application/json, text/event-stream", true],
    ["application/json;q=0.9, text/event-stream", false],
    ["text/event-stream;q=0.5, application/json;q=0.8", true],
    ["text/event-stream", false],
    ["text/event-stream, application/json", false],
    ["text/*", false],
    ["*/*", false],
    ["*/*, application/json", false],
    ["application/json;q=0", false],
    ["application/json;q=x", false],
    ["text/html, application/xml", false],
    ["image/png, application/json", true],
    ["text/event-stream;q=0, */*", true],
    ["*/*, text/event-stream; q=0.2", true],
    ["application/json;q=0, */*", false],
    ["*/*;q=0.5, application/json;q=0.4", false],
    ["text/*;q=0.5, */*", true],
    ["*/*;q=0, application/json;q=0.1", true],
    ["*/*;q=0", false],
  ])("of %j is %s", (accept, prefers) => {
    expect(prefersJson(accept)).toBe(prefers);
  });
});

describe("dialectOf()", () => {
  it.each<[path: string, mount: string]>([
    ["/v1/chat/completions", "/v1"],
    ["/chat/completions", ""],
    ["/api/v1/chat/completions", "/api/v1"],
    ["/v3/ai/chat_completions", "/v3/ai"],
    ["/v1beta/models", ""],
    ["/v3/aim", ""],
  ])("of %s is that of %j", (path, mount) => {
    expect(dialectOf(path).mount).toBe(mount);
  });
});

const NONE = "-";

describe("dialects", () => {
  it.each<[path: string, unset: boolean, unsetForJson: boolean, usage: boolean]>([
    ["/v1/x", false, false, false],
    ["/x", false, false, false],
    ["/api/v1/x", false, false, true],
    ["/v3/ai/x", true, false, true],
  ])("%s: streams by default %s, under Accept: application/json %s, with usage %s", (path, unset, unsetForJson, usage) => {
    const dialect = dialectOf(path);
    expect(wantsStream(dialect, undefined, undefined)).toBe(unset);
    expect(wantsStream(dialect, undefined, "text/event-stream")).toBe(unset);
    expect(wantsStream(dialect, undefined, "application/json")).toBe(unsetForJson);
    expect(
      ["application/json", "text/event-stream", undefined].map((accept) => wantsStream(dialect, true, accept)),
    ).toEqual([true, true, true]);
    expect(
      ["application/json", "text/event-stream", undefined].map((accept) => wantsStream(dialect, false, accept)),
    ).toEqual([false, false, false]);
    const paramsWith = (includeUsage?: boolean) =>
      create(ChatCompletionParamsSchema, includeUsage === undefined ? {} : { streamOptions: { includeUsage } });
    expect(wantsUsage(dialect, paramsWith())).toBe(usage);
    expect(wantsUsage(dialect, paramsWith(true))).toBe(true);
    expect(wantsUsage(dialect, paramsWith(false))).toBe(false);
  });

  it.each<[path: string, roles: Role[], param: string]>([
    ["/v1/x", [Role.SYSTEM], NONE],
    ["/v1/x", [Role.USER], NONE],
    ["/v3/ai/x", [Role.SYSTEM, Role.USER], NONE],
    ["/v3/ai/x", [Role.SYSTEM, Role.ASSISTANT], "messages"],
    // Without any message, the rules of the parameters say so.
    ["/v3/ai/x", [], NONE],
  ])("%s with roles %j: wrong is %s", (path, roles, param) => {
    const params = create(ChatCompletionParamsSchema, { messages: roles.map((role) => ({ role })) });
    const attempt = (): string => {
      try {
        checkDialect(dialectOf(path), params);
        return NONE;
      } catch (error) {
        expect(error).toMatchObject({ reason: Reason.INVALID_VALUE });
        return (error as { details: { param: string } }).details.param;
      }
    };
    expect(attempt()).toBe(param);
  });
});
