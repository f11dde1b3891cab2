import type { Environment } from "./environment.ts";
import type { ReportVariable } from "./problems.ts";
import type { ProxySettings } from "./settings.ts";

/**
 * Reads the proxies of the environment. The lower-case variable wins over the other one, as in most programs; an empty one counts as
 * unset. An address without a scheme is one of http. What is no address of a proxy is reported by the variable's name, and without
 * the text, which may hold a password.
 */
export function readProxy(env: Environment, report: ReportVariable): ProxySettings {
  const find = (upper: string): { name: string; text: string } | undefined =>
    [upper.toLowerCase(), upper].flatMap((name) => (env[name] ? [{ name, text: env[name] }] : []))[0];

  const address = (variable: string): string | undefined => {
    const found = find(variable);
    if (found === undefined) return undefined;
    const text = found.text.includes("://") ? found.text : `http://${found.text}`;
    const url = URL.parse(text);
    if (url?.protocol === "http:" || url?.protocol === "https:") return text;
    report(found.name, 'must be the address of an HTTP proxy, such as "http://proxy.example:3128"');
    return undefined;
  };
  return { http: address("HTTP_PROXY"), https: address("HTTPS_PROXY"), none: find("NO_PROXY")?.text };
}
