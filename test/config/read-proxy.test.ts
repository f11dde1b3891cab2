import { describe, expect, it } from "vitest";
import type { Environment } from "../../src/config/environment.ts";
import { readProxy } from "../../src/config/read-proxy.ts";
import type { ProxySettings } from "../../src/config/settings.ts";
import { loadText, problemsOf } from "./load.ts";

const NONE: ProxySettings = { http: undefined, https: undefined, none: undefined };

describe("readProxy()", () => {
  it.each<[what: string, env: Environment, proxy: Partial<ProxySettings>]>([
    ["nothing", {}, {}],
    [
      "upper case",
      { HTTP_PROXY: "http://a:1", HTTPS_PROXY: "http://b:2", NO_PROXY: "c,.d" },
      { http: "http://a:1", https: "http://b:2", none: "c,.d" },
    ],
    [
      "lower case",
      { http_proxy: "http://a:1", https_proxy: "https://b:2", no_proxy: "*" },
      { http: "http://a:1", https: "https://b:2", none: "*" },
    ],
    [
      "lower case before upper case",
      {
        HTTP_PROXY: "http://x",
        http_proxy: "http://a",
        HTTPS_PROXY: "http://x",
        https_proxy: "http://b",
        NO_PROXY: "x",
        no_proxy: "c",
      },
      { http: "http://a", https: "http://b", none: "c" },
    ],
    ["upper case where lower case is empty", { HTTPS_PROXY: "http://b", https_proxy: "" }, { https: "http://b" }],
    ["one alone", { HTTP_PROXY: "http://a" }, { http: "http://a" }],
    ["an address without a scheme", { HTTPS_PROXY: "proxy.example:3128" }, { https: "http://proxy.example:3128" }],
    ["a user and a password", { HTTPS_PROXY: "http://me:pw@b" }, { https: "http://me:pw@b" }],
  ])("reads %s", (_what, env, proxy) => {
    const problems: string[] = [];
    expect(readProxy(env, (variable) => problems.push(variable))).toEqual({ ...NONE, ...proxy });
    expect(problems).toEqual([]);
  });

  it.each<[Environment, string]>([
    [{ HTTPS_PROXY: "socks5://s3cr3t:1" }, "HTTPS_PROXY"],
    [{ http_proxy: "http://s3cr3t:99999", HTTP_PROXY: "http://a" }, "http_proxy"],
    [{ HTTP_PROXY: "s3c r3t" }, "HTTP_PROXY"],
  ])("rejects %j by the variable's name", async (env, variable) => {
    expect(await problemsOf(loadText("", env))).toEqual([
      `${variable}: must be the address of an HTTP proxy, such as "http://proxy.example:3128"`,
    ]);
  });
});
