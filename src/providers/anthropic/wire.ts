/**
 * Anthropic's Messages API, as far as it is spoken here: https://docs.claude.com/en/api/messages. What is sent is checked against the
 * types of Anthropic's own package by a test; what is received is not trusted to be as it says.
 */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** Marks the end of a prefix worth caching. */
export interface CacheControl {
  type: "ephemeral";
  ttl: "5m" | "1h";
}

interface Cacheable {
  cache_control?: CacheControl;
}

export interface TextBlock extends Cacheable {
  type: "text";
  text: string;
}

export const IMAGE_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"] as const;
type ImageType = (typeof IMAGE_TYPES)[number];

export interface ImageBlock extends Cacheable {
  type: "image";
  source:
    | { type: "base64"; media_type: ImageType; data: string }
    | { type: "url"; url: string }
    | { type: "file"; file_id: string };
}

export interface DocumentBlock extends Cacheable {
  type: "document";
  source:
    | { type: "base64"; media_type: "application/pdf"; data: string }
    | { type: "text"; media_type: "text/plain"; data: string }
    | { type: "url"; url: string }
    | { type: "file"; file_id: string };
  title?: string;
}

export type ContentBlock = TextBlock | ImageBlock | DocumentBlock;

export interface ThinkingBlock {
  type: "thinking";
  thinking: string;
  signature: string;
}

export interface RedactedThinkingBlock {
  type: "redacted_thinking";
  data: string;
}

export interface ToolUseBlock {
  type: "tool_use";
  id: string;
  name: string;
  input: JsonValue;
}

export interface ToolResultBlock extends Cacheable {
  type: "tool_result";
  tool_use_id: string;
  content?: string | ContentBlock[];
  is_error?: true;
}

export type WireMessage =
  | { role: "user"; content: (ToolResultBlock | ContentBlock)[] }
  | { role: "assistant"; content: (ThinkingBlock | RedactedThinkingBlock | TextBlock | ToolUseBlock)[] }
  | { role: "system"; content: TextBlock[] };

export interface FunctionTool {
  name: string;
  description?: string;
  input_schema: JsonObject & { type: "object" };
  strict?: true;
}

export interface WebSearchTool {
  type: "web_search_20260318";
  name: "web_search";
  allowed_callers: ["direct"];
  user_location?: { type: "approximate"; city?: string; country?: string; region?: string; timezone?: string };
}

export type WireTool = FunctionTool | WebSearchTool;

export type WireToolChoice =
  | { type: "auto"; disable_parallel_tool_use?: true }
  | { type: "any"; disable_parallel_tool_use?: true }
  | { type: "tool"; name: string; disable_parallel_tool_use?: true }
  | { type: "none" };

export type WireThinking =
  | { type: "enabled"; budget_tokens: number; display: "summarized" | "omitted" }
  | { type: "adaptive"; display: "summarized" | "omitted" }
  | { type: "between_tools" }
  | { type: "disabled" };

export type WireEffort = "low" | "medium" | "high" | "xhigh" | "max";

/** A request, its keys in the order in which they are written. */
export interface MessagesRequest {
  model: string;
  max_tokens: number;
  stream?: true;
  thinking?: WireThinking;
  output_config?: { effort?: WireEffort; format?: { type: "json_schema"; schema: JsonObject } };
  system?: TextBlock[];
  tools?: WireTool[];
  tool_choice?: WireToolChoice;
  messages: WireMessage[];
  temperature?: number;
  top_p?: number;
  top_k?: number;
  stop_sequences?: string[];
  metadata?: { user_id: string };
  service_tier?: "auto" | "standard_only";
  speed?: "fast";
}
