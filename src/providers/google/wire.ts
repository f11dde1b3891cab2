/**
 * Gemini's API as far as Parley speaks it: what is sent. What comes is read from plain JSON, since none of it can be relied on.
 * https://ai.google.dev/api/generate-content
 */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** Body of `generateContent` and `streamGenerateContent`. */
export interface GenerateContentRequest {
  systemInstruction?: { parts: Part[] };
  generationConfig?: GenerationConfig;
  tools?: Tool[];
  toolConfig?: ToolConfig;
  safetySettings?: JsonObject[];
  cachedContent?: string;
  serviceTier?: "standard" | "flex" | "priority";
  contents: Content[];
}

/** What one side says at once. */
export interface Content {
  role: "user" | "model";
  parts: Part[];
}

/** A piece of content: one of the kinds, and what may stand beside it. */
export interface Part {
  text?: string;
  /** Whether the text is a thought. */
  thought?: boolean;
  inlineData?: Blob;
  fileData?: FileData;
  functionCall?: FunctionCall;
  functionResponse?: FunctionResponse;
  thoughtSignature?: string;
  videoMetadata?: VideoMetadata;
}

/** Bytes, in base64. */
export interface Blob {
  mimeType: string;
  data: string;
}

export interface FileData {
  fileUri: string;
  mimeType?: string;
}

export interface VideoMetadata {
  startOffset?: string;
  endOffset?: string;
  fps?: number;
}

export interface FunctionCall {
  id?: string;
  name: string;
  args: JsonObject;
}

export interface FunctionResponse {
  id?: string;
  name: string;
  response: JsonObject;
  parts?: { inlineData: Blob }[];
}

/** Either functions, or the search. */
export interface Tool {
  functionDeclarations?: FunctionDeclaration[];
  googleSearch?: Record<string, never>;
}

export interface FunctionDeclaration {
  name: string;
  description?: string;
  parametersJsonSchema?: JsonObject;
}

export interface ToolConfig {
  functionCallingConfig?: FunctionCallingConfig;
  includeServerSideToolInvocations?: boolean;
}

export interface FunctionCallingConfig {
  mode: "AUTO" | "ANY" | "NONE" | "VALIDATED";
  allowedFunctionNames?: string[];
}

export interface GenerationConfig {
  maxOutputTokens?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  frequencyPenalty?: number;
  presencePenalty?: number;
  stopSequences?: string[];
  candidateCount?: number;
  seed?: number;
  responseLogprobs?: boolean;
  logprobs?: number;
  responseMimeType?: string;
  responseJsonSchema?: JsonValue;
  responseSchema?: JsonObject;
  mediaResolution?: MediaResolution;
  thinkingConfig?: ThinkingConfig;
}

export type MediaResolution = "MEDIA_RESOLUTION_LOW" | "MEDIA_RESOLUTION_MEDIUM" | "MEDIA_RESOLUTION_HIGH";

export interface ThinkingConfig {
  thinkingBudget?: number;
  thinkingLevel?: "MINIMAL" | "LOW" | "MEDIUM" | "HIGH" | "XHIGH";
  includeThoughts?: boolean;
}
