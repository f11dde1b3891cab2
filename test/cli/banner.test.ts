import { describe, expect, it } from "vitest";
import { formatBanner } from "../../src/cli/banner.ts";
import type { AutoSettings } from "../../src/config/settings.ts";

const ELIZA = { policy: "quality", models: ["sandbox/eliza"] } as const;

const commandsOf = (url: string, certFile?: string): string[] => {
  const lines = formatBanner({ url, auto: ELIZA, providers: [], certFile, needsKey: false }).split("\n");
  return lines.filter((line) => /^ {2}(curl|npx) /.test(line)).map((line) => line.trim());
};

describe("formatBanner()", () => {
  it("says where it listens", () => {
    const [line] = formatBanner({
      url: "http://127.0.0.1:8080",
      auto: ELIZA,
      providers: [],
      certFile: undefined,
      needsKey: false,
    }).split("\n");
    expect(line).toMatch(/^Parley \d+\.\d+\.\d+ listens on http:\/\/127\.0\.0\.1:8080$/);
  });

  it.each<[AutoSettings, string]>([
    [ELIZA, "sandbox/eliza"],
    [{ policy: "cost", models: ["a/b"] }, "a/b"],
    [{ policy: "quality", models: ["a/b", "c", "d/e"] }, "the first that suits of a/b, c, d/e"],
    [{ policy: "cost", models: ["a/b", "c"] }, "the first that suits of a/b, c, by cost"],
    [{ policy: "latency", models: ["a/b", "c"] }, "the first that suits of a/b, c, by latency"],
  ])("says what auto is: %j", (auto, words) => {
    const banner = formatBanner({ url: "http://[::1]:1", auto, providers: [], certFile: undefined, needsKey: false });
    expect(banner.split("\n")[1]).toBe(`The model "auto" is ${words}. Ctrl-C lets open calls finish and stops.`);
  });

  it.each<[string[], string]>([
    [[], "Only the sandbox answers. OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY switches a provider on."],
    [["openai"], "Providers: openai, and the sandbox. A model of theirs is called as provider/model."],
    [["a", "b"], "Providers: a, b, and the sandbox. A model of theirs is called as provider/model."],
  ])("says which providers are on: %j", (providers, line) => {
    const banner = formatBanner({
      url: "http://[::1]:1",
      auto: ELIZA,
      providers,
      certFile: undefined,
      needsKey: false,
    });
    expect(banner.split("\n")[2]).toBe(line);
  });

  it("has a first call for each door", () => {
    expect(commandsOf("http://127.0.0.1:8080")).toEqual([
      "curl http://127.0.0.1:8080/v1/chat/completions -H 'content-type: application/json' " +
        `-d '{"model":"auto","messages":[{"role":"user","content":"Hello"}]}'`,
      "curl -N http://127.0.0.1:8080/v1/chat/completions -H 'content-type: application/json' " +
        `-d '{"model":"auto","messages":[{"role":"user","content":"Hello"}],"stream":true}'`,
      "npx buf curl --protocol grpc --http2-prior-knowledge " +
        `-d '{"params":{"model":"auto","messages":[{"role":"ROLE_USER","content":[{"text":"Hello"}]}]}}' ` +
        "http://127.0.0.1:8080/parley.chat.v1.ChatService/StreamChatCompletion",
      "npx buf curl --protocol connect --http2-prior-knowledge " +
        `-d '{"params":{"model":"auto","messages":[{"role":"ROLE_USER","content":[{"text":"Hello"}]}]}}' ` +
        "http://127.0.0.1:8080/parley.chat.v1.ChatService/CreateChatCompletion",
    ]);
  });

  it("quotes an IPv6 host, whose brackets shells would read", () => {
    expect(commandsOf("http://[::1]:8080")[0]).toMatch(/^curl 'http:\/\/\[::1\]:8080\/v1\/chat\/completions' /);
  });

  it("leaves the choice of HTTP/2 to TLS where there is TLS", () => {
    expect(commandsOf("https://127.0.0.1:8443", "/cert.pem").join()).not.toContain("--http2-prior-knowledge");
  });

  it("names the certificate in every command, quoted for a shell", () => {
    const commands = commandsOf("https://127.0.0.1:8443", "/it's here/cert.pem");
    expect(commands.map((command) => / --cacert (.*?\.pem\S*) /.exec(command)?.[1])).toEqual(
      Array.from({ length: 4 }, () => String.raw`'/it'\''s here/cert.pem'`),
    );
  });

  it("says that calls need a key, and has one in each", () => {
    const options = { url: "http://127.0.0.1:1", auto: ELIZA, providers: [], certFile: undefined };
    const banner = formatBanner({ ...options, needsKey: true });
    expect(banner).toContain('Every call needs a key. "npm run parley -- keys create" makes one.');
    const commands = banner.split("\n").filter((line) => line.includes(" -d '"));
    expect(commands).toHaveLength(4);
    expect(commands.filter((line) => !line.includes('-H "authorization: Bearer $KEY"'))).toEqual([]);
    expect(formatBanner({ ...options, needsKey: false })).not.toContain("key.");
  });
});
