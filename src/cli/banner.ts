import type { AutoSettings } from "../config/settings.ts";
import { VERSION } from "../lib/version.ts";

/** What the banner speaks of. */
export interface BannerOptions {
  /** Where the gateway can be called: "http://127.0.0.1:8080". */
  readonly url: string;
  /** The models behind "auto", at least one, and in which order they are asked. */
  readonly auto: AutoSettings;
  /** Ids of the providers with a network. */
  readonly providers: readonly string[];
  /** The file of the server's certificate; undefined: plain text. */
  readonly certFile: string | undefined;
  /** Whether callers have to say who they are. */
  readonly needsKey: boolean;
}

const REST = '{"model":"auto","messages":[{"role":"user","content":"Hello"}]}';
const REST_STREAM = '{"model":"auto","messages":[{"role":"user","content":"Hello"}],"stream":true}';
const RPC = '{"params":{"model":"auto","messages":[{"role":"ROLE_USER","content":[{"text":"Hello"}]}]}}';
const SERVICE = "/parley.chat.v1.ChatService";

/** The text of a start: where the gateway listens, and a first call on each door, ready to be pasted into a shell. */
export function formatBanner({ url, auto, providers, certFile, needsKey }: BannerOptions): string {
  const key = needsKey ? '-H "authorization: Bearer $KEY" ' : "";
  // The certificate vouches for itself: its issuer may be one that this machine does not know.
  const trust = certFile === undefined ? "" : `--cacert ${shellWord(certFile)} `;
  const curl = (flags: string, body: string): string =>
    `curl ${flags}${trust}${key}${shellWord(`${url}/v1/chat/completions`)} -H 'content-type: application/json' -d '${body}'`;
  // Over TLS the client finds HTTP/2 by ALPN; without, reflection needs to be told.
  const http2 = certFile === undefined ? "--http2-prior-knowledge " : trust;
  const bufCurl = (protocol: string, method: string): string =>
    `npx buf curl --protocol ${protocol} ${http2}${key}-d '${RPC}' ${shellWord(`${url}${SERVICE}/${method}`)}`;
  const calls: readonly (readonly [door: string, command: string])[] = [
    ["REST", curl("", REST)],
    ["REST, streamed", curl("-N ", REST_STREAM)],
    ["gRPC, streamed", bufCurl("grpc", "StreamChatCompletion")],
    ["Connect (or grpcweb)", bufCurl("connect", "CreateChatCompletion")],
  ];
  return [
    `Parley ${VERSION} listens on ${url}`,
    `The model "auto" is ${formatAuto(auto)}. Ctrl-C lets open calls finish and stops.`,
    formatProviders(providers),
    ...(needsKey ? ['Every call needs a key. "npm run parley -- keys create" makes one.'] : []),
    ...calls.flatMap(([door, command]) => ["", `  ${door}:`, `  ${command}`]),
    "",
    "",
  ].join("\n");
}

function formatAuto({ policy, models }: AutoSettings): string {
  if (models.length === 1) return models.join();
  return `the first that suits of ${models.join(", ")}${policy === "quality" ? "" : `, by ${policy}`}`;
}

/** What switches on most providers; the documents have the rest. */
const HINT = "OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY switches a provider on.";

function formatProviders(ids: readonly string[]): string {
  if (ids.length === 0) return `Only the sandbox answers. ${HINT}`;
  return `Providers: ${ids.join(", ")}, and the sandbox. A model of theirs is called as provider/model.`;
}

/** Quotes what a shell would not take as it is, such as the brackets of an IPv6 address or spaces in a path. */
function shellWord(text: string): string {
  return /^[\w:/.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
