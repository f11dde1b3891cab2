import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { GatewayError } from "../../errors/gateway-error.ts";
import { FinishReason } from "../../gen/parley/chat/v1/completion_pb.ts";
import { type ChatCompletionParams, ReasoningEffort } from "../../gen/parley/chat/v1/params_pb.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";
import { type ChosenTool, chooseTools } from "./choose-tools.ts";
import { type Conversation, readConversation } from "./conversation.ts";
import { createEliza } from "./eliza/eliza.ts";
import { limitText } from "./limit-text.ts";
import { MAX_OUTPUT_TOKENS, type SandboxModel } from "./models.ts";
import { createRandom, type Random } from "./random.ts";
import { sampleSchema } from "./schema/sample-schema.ts";
import { splitTokens } from "./tokens/tokens.ts";

/** One answer, in tokens. */
export interface Answer {
  readonly reasoning: readonly string[];
  readonly content: readonly string[];
  readonly calls: readonly AnswerCall[];
  readonly finishReason: FinishReason;
}

/** A call of a tool. */
export interface AnswerCall {
  readonly kind: "function" | "custom" | "legacy";
  readonly id: string;
  readonly name: string;
  /** Arguments as JSON, or the input of a custom tool, in tokens. */
  readonly input: readonly string[];
}

const eliza = createEliza();

/** Makes choice number `index` of the answer. The same parameters give the same answer. */
export function createAnswer(model: SandboxModel, params: ChatCompletionParams, index: number): Answer {
  const conversation = readConversation(params.messages);
  const seed = params.seed === undefined ? "" : String(params.seed);
  const random = createRandom(`${seed}/${index}/${conversation.last}`);
  const limit = Math.min(params.maxCompletionTokens ?? params.maxTokens ?? MAX_OUTPUT_TOKENS, MAX_OUTPUT_TOKENS);

  const reasoning = splitTokens(think(params.reasoningEffort, conversation)).slice(0, limit);
  const left = limit - reasoning.length;
  const tools = chooseTools(params, conversation.last, conversation.results.length > 0);
  if (tools.length > 0) return answerCalls(tools, params, conversation, random, reasoning, left);

  const { tokens, isCut } = limitText(write(model, params, conversation, random), params.stop, left);
  const finishReason = isCut ? FinishReason.LENGTH : FinishReason.STOP;
  return { reasoning, content: tokens, calls: [], finishReason };
}

function answerCalls(
  tools: readonly ChosenTool[],
  params: ChatCompletionParams,
  { last }: Conversation,
  random: Random,
  reasoning: readonly string[],
  limit: number,
): Answer {
  const isLegacy = params.tools.length === 0;
  const calls: AnswerCall[] = [];
  let left = limit;
  for (const tool of tools) {
    const input = splitTokens(inputOf(tool, last, random));
    const id = `call_${Array.from({ length: 24 }, () => random.int(36).toString(36)).join("")}`;
    calls.push({ kind: isLegacy ? "legacy" : tool.kind, id, name: tool.definition.name, input: input.slice(0, left) });
    left -= input.length;
    if (left < 0) break;
  }
  const done = isLegacy ? FinishReason.FUNCTION_CALL : FinishReason.TOOL_CALLS;
  return { reasoning, content: [], calls, finishReason: left < 0 ? FinishReason.LENGTH : done };
}

function inputOf(tool: ChosenTool, hints: string, random: Random): string {
  if (tool.kind === "custom") {
    const format = tool.definition.format?.kind;
    if (format?.case !== "grammar") return hints;
    const pattern = `^(?:${format.value.definition})$`;
    return String(sample({ type: "string", pattern }, hints, random, `${tool.path}.format.grammar.definition`));
  }
  const { schema } = tool.definition;
  const path = `${tool.path}.parameters`;
  const parameters = schema.case === "parametersJson" ? parseSchema(schema.value, path) : schema.value;
  if (parameters === undefined || Object.keys(parameters).length === 0) return "{}";
  return JSON.stringify(sample(parameters, hints, random, path));
}

/** What is said, before it is limited. */
function write(model: SandboxModel, params: ChatCompletionParams, conversation: Conversation, random: Random): string {
  const format = params.responseFormat?.format;
  if (format?.case === "jsonSchema") {
    const { definition } = format.value;
    const path = "response_format.json_schema.schema";
    const schema = definition.case === "schemaJson" ? parseSchema(definition.value, path) : definition.value;
    return JSON.stringify(sample(schema ?? {}, conversation.last, random, path));
  }
  const text = say(model, params, conversation, random);
  return format?.case === "jsonObject" ? JSON.stringify({ answer: text }) : text;
}

function say(
  { voice }: SandboxModel,
  { temperature, topP }: ChatCompletionParams,
  { earlier, last, results }: Conversation,
  random: Random,
): string {
  if (voice === "echo") return last;
  if (results.length > 0) return results.map(({ name, text }) => `${name} says: ${text}`).join("\n");
  return eliza.reply({
    history: earlier,
    text: last,
    random,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
  });
}

/** How many of the sandbox's thoughts an effort takes. */
const THOUGHTS: Readonly<Record<ReasoningEffort, number>> = {
  [ReasoningEffort.UNSPECIFIED]: 0,
  [ReasoningEffort.NONE]: 0,
  [ReasoningEffort.MINIMAL]: 1,
  [ReasoningEffort.LOW]: 2,
  [ReasoningEffort.MEDIUM]: 3,
  [ReasoningEffort.HIGH]: 4,
  [ReasoningEffort.XHIGH]: 5,
  [ReasoningEffort.MAX]: 6,
};

/** What the sandbox thinks of a conversation: little, but all of it is true. */
function think(effort: ReasoningEffort, { earlier, last, results }: Conversation): string {
  const count = THOUGHTS[effort];
  if (count === 0) return "";
  const words = last.split(/\s+/).filter((word) => word !== "").length;
  const thoughts = [
    `The user wrote ${words} ${words === 1 ? "word" : "words"}.`,
    last.includes("?") ? "It is a question." : "It is not a question.",
    earlier.length === 0 ? "Nothing was said before." : `It is turn ${earlier.length + 1} of the conversation.`,
    results.length === 0 ? "No tool has answered." : `Tools have answered ${results.length} times.`,
    "A keyword of the script will decide what to say.",
    "Where several replies fit, the seed decides.",
  ];
  return thoughts.slice(0, count).join(" ");
}

function sample(schema: JsonValue, hints: string, random: Random, path: string): JsonValue {
  const sampled = sampleSchema(schema, { random, hints });
  if (sampled.ok) return sampled.value;
  throw new GatewayError(
    Reason.UNSUPPORTED_VALUE,
    `${path}: the sandbox cannot satisfy the schema at ${sampled.path || "its root"}: ${sampled.reason}`,
    {
      param: path,
    },
  );
}

function parseSchema(text: string, path: string): JsonObject {
  let schema: JsonValue;
  try {
    schema = JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new GatewayError(Reason.INVALID_VALUE, `${path} is not JSON`, { param: path, cause });
  }
  if (typeof schema === "object" && schema !== null && !Array.isArray(schema)) return schema;
  throw new GatewayError(Reason.INVALID_VALUE, `${path} must be a JSON object`, { param: path });
}
