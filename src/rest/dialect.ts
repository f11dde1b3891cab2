import { GatewayError } from "../errors/gateway-error.ts";
import { Role } from "../gen/parley/chat/v1/message_pb.ts";
import type { ChatCompletionParams } from "../gen/parley/chat/v1/params_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { prefersJson } from "./accept.ts";

/** In what the chat completions of one mount differ from those of another. The clients of each expect it so. */
export interface Dialect {
  /** What the paths of the mount begin with. */
  readonly mount: string;
  /**
   * Whether a call without the parameter `stream` is streamed; it is not where the client prefers JSON by its Accept
   * header.
   */
  readonly streamsByDefault: boolean;
  /** Whether a stream tells its usage without being asked. */
  readonly usageByDefault: boolean;
  /** Whether there has to be a message of role `user`. */
  readonly wantsUserMessage: boolean;
}

/** Longer mounts stand before those that they begin with. */
const DIALECTS: readonly Dialect[] = [
  { mount: "/v3/ai", streamsByDefault: true, usageByDefault: true, wantsUserMessage: true },
  { mount: "/api/v1", streamsByDefault: false, usageByDefault: true, wantsUserMessage: false },
  { mount: "/v1", streamsByDefault: false, usageByDefault: false, wantsUserMessage: false },
  { mount: "", streamsByDefault: false, usageByDefault: false, wantsUserMessage: false },
];

/** The dialect that is spoken at a path or path template. */
export function dialectOf(path: string): Dialect {
  return DIALECTS.find(({ mount }) => path.startsWith(`${mount}/`))!;
}

/** Whether a call is streamed: as its body says, and else as the dialect does. */
export function wantsStream(dialect: Dialect, said: boolean | undefined, accept: string | undefined): boolean {
  return said ?? (dialect.streamsByDefault && !prefersJson(accept));
}

/** Whether a stream with these parameters tells its usage. */
export function wantsUsage(dialect: Dialect, params: ChatCompletionParams): boolean {
  return params.streamOptions?.includeUsage ?? dialect.usageByDefault;
}

/** Refuses what the parameters' own rules allow, but not the dialect. */
export function checkDialect(dialect: Dialect, { messages }: ChatCompletionParams): void {
  // That there has to be any message is a rule of the parameters themselves.
  if (!dialect.wantsUserMessage || messages.length === 0) return;
  if (messages.some(({ role }) => role === Role.USER)) return;
  throw new GatewayError(Reason.INVALID_VALUE, `messages must hold one of role "user" under ${dialect.mount}`, {
    param: "messages",
  });
}
