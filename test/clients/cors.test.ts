/** Pages of other origins, as browsers ask for them (the Fetch standard's CORS protocol). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";

const ORIGIN = "https://app.example";
const OTHER = "https://other.example";
const REST = "/v1/chat/completions";
const RPC = "/parley.chat.v1.ChatService/CreateChatCompletion";
const BODIES: Readonly<Record<string, string>> = {
  [REST]: '{"model":"sandbox/echo","messages":[{"role":"user","content":"a"}]}',
  [RPC]: '{"params":{"model":"sandbox/echo","messages":[{"role":"ROLE_USER","content":[{"text":"a"}]}]}}',
};

let gateway: TestGateway;
let closed: TestGateway;
let open: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ cors: { allowedOrigins: [ORIGIN] } });
  closed = await startTestGateway();
  open = await startTestGateway({ cors: { allowedOrigins: ["*"] } });
});
afterAll(async () => {
  await Promise.all([gateway.stop(), closed.stop(), open.stop()]);
});

/** The question that a browser asks before it calls. */
const preflight = ({ url }: TestGateway, path: string, origin: string, headers: string) =>
  fetch(url + path, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": headers },
  });
const call = ({ url }: TestGateway, path: string, origin: string, body = BODIES[path] ?? "{}") =>
  fetch(url + path, { method: "POST", headers: { origin, "content-type": "application/json" }, body });

const corsHeaders = ({ headers }: Response) => [...headers.keys()].filter((name) => name.startsWith("access-control-"));
const listed = ({ headers }: Response, name: string) => (headers.get(name) ?? "").toLowerCase().split(/\s*,\s*/);

describe("CORS", () => {
  it.each([
    [REST, "authorization,content-type,x-request-id,x-parley-strict,x-parley-timeout-ms,x-stainless-lang"],
    [RPC, "connect-protocol-version,connect-timeout-ms,content-type"],
    [RPC, "content-type,grpc-timeout,x-grpc-web,x-user-agent"],
  ])("lets a page of an allowed origin call %s with %s", async (path, headers) => {
    const asked = await preflight(gateway, path, ORIGIN, headers);
    expect(asked.status).toBe(204);
    expect(asked.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(asked.headers.get("vary")).toMatch(/\bOrigin\b/);
    expect(listed(asked, "access-control-allow-methods")).toEqual(expect.arrayContaining(["get", "post"]));
    expect(listed(asked, "access-control-allow-headers")).toEqual(expect.arrayContaining(headers.split(",")));
    expect(asked.headers.has("access-control-allow-credentials")).toBe(false);
    const answered = await call(gateway, path, ORIGIN);
    expect(answered.status).toBe(200);
    expect(answered.headers.get("access-control-allow-origin")).toBe(ORIGIN);
  });

  it("lets the page read what clients need of the headers", async () => {
    const answered = await call(gateway, REST, ORIGIN);
    expect(listed(answered, "access-control-expose-headers")).toEqual(
      expect.arrayContaining([
        "x-request-id",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "x-parley-adjustments",
        "x-parley-ignored",
        "x-parley-upstream-id",
        "x-parley-upstream-model",
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
      ]),
    );
  });

  it.each([
    ["an error", REST, '{"model":"auto"}', 400],
    ["an unknown path", "/nothing", "{}", 404],
    ["an rpc's error", RPC, "{}", 400],
  ])("lets the page read %s, too", async (_name, path, body, status) => {
    const refused = await call(gateway, path, ORIGIN, body);
    expect(refused.status).toBe(status);
    expect(refused.headers.get("access-control-allow-origin")).toBe(ORIGIN);
  });

  it("lets the page read a stream", async () => {
    const streamed = await call(gateway, REST, ORIGIN, BODIES[REST]?.replace("{", '{"stream":true,'));
    expect(streamed.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(await streamed.text()).toMatch(/data: \[DONE\]\n\n$/);
  });

  it.each([REST, RPC])("tells a page of another origin nothing: %s", async (path) => {
    const asked = await preflight(gateway, path, OTHER, "content-type");
    expect([asked.headers.get("vary"), corsHeaders(asked)]).toEqual(["Origin", []]);
    expect(corsHeaders(await call(gateway, path, OTHER))).toEqual([]);
  });

  it.each([REST, RPC])("is off without configuration: %s", async (path) => {
    expect(corsHeaders(await preflight(closed, path, ORIGIN, "content-type"))).toEqual([]);
    expect(corsHeaders(await call(closed, path, ORIGIN))).toEqual([]);
  });

  it("answers OPTIONS of REST without a preflight by the methods that there are", async () => {
    const response = await fetch(gateway.url + REST, { method: "OPTIONS", headers: { origin: ORIGIN } });
    expect([response.status, response.headers.get("allow")]).toEqual([204, expect.stringContaining("POST")]);
  });

  it("lets pages of all origins call where that is configured", async () => {
    const asked = await preflight(open, REST, OTHER, "content-type");
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([204, "*"]);
    expect((await call(open, REST, OTHER)).headers.get("access-control-allow-origin")).toBe("*");
  });
});
