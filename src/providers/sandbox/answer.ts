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
import { type SampleOptions, sampleSchema } from "./schema/sample-schema.ts";
import { countTokens, type LimitedText, limitTokens } from "./tokens/tokens.ts";

/** One answer. */
export interface Answer {
  readonly reasoning: LimitedText;
  readonly content: LimitedText;
  readonly calls: readonly AnswerCall[];
  readonly finishReason: FinishReason;
}

/** A call of a tool. */
export interface AnswerCall {
  readonly kind: "function" | "custom" | "legacy";
  readonly id: string;
  readonly name: string;
  /** Arguments as JSON, or the input of a custom tool. */
  readonly input: LimitedText;
}

/** Makes choice number `index` of an answer. */
export type AnswerMaker = (index: number) => Answer;

/** Everything that is the same for all choices of a call. */
interface Task {
  readonly params: ChatCompletionParams;
  readonly conversation: Conversation;
  readonly reasoning: LimitedText;
  /** How many tokens are left after the reasoning. */
  readonly limit: number;
}

const eliza = createEliza();
const NOTHING = limitTokens("", 0);

/** Reads a call once, for all its choices. The same parameters give the same answers. */
export function createAnswerMaker(model: SandboxModel, params: ChatCompletionParams): AnswerMaker {
  const conversation = readConversation(params.messages);
  const most = Math.min(params.maxCompletionTokens ?? params.maxTokens ?? MAX_OUTPUT_TOKENS, MAX_OUTPUT_TOKENS);
  const thoughts = think(params.reasoningEffort, conversation);
  const reasoning = thoughts === "" ? NOTHING : limitTokens(thoughts, most);
  const task: Task = { params, conversation, reasoning, limit: most - reasoning.tokens };
  const key = seedKey(conversation.last);
  const tools = chooseTools(params, conversation);
  const answer = tools.length > 0 ? callTools(task, tools) : writeText(task, model);
  return (index) => answer(createRandom(`${params.seed ?? ""}/${index}/${key}`));
}

/** Longest text that every choice reads on its own. */
const SHORT = 4_000;

/** What a message is in the seeds of its choices: itself, or, where it is long, a number that it gives. */
const seedKey = (text: string): string => (text.length <= SHORT ? text : String(createRandom(text).next()));

function writeText(task: Task, model: SandboxModel): (random: Random) => Answer {
  const { params, reasoning, limit } = task;
  const write = createWriter(model, task);
  let before: { readonly text: string; readonly limited: LimitedText } | undefined;
  return (random) => {
    const text = write(random);
    // Choices often say the same, and a long text takes its time.
    if (before?.text !== text) before = { text, limited: limitText(text, params.stop, limit) };
    const { limited: content } = before;
    return { reasoning, content, calls: [], finishReason: content.isCut ? FinishReason.LENGTH : FinishReason.STOP };
  };
}

function callTools(task: Task, tools: readonly ChosenTool[]): (random: Random) => Answer {
  const { params, conversation, reasoning, limit } = task;
  const isLegacy = params.tools.length === 0;
  const inputs = tools.map((tool) => createInput(tool, conversation.last, stepsOf(params, tools.length)));
  const done = isLegacy ? FinishReason.FUNCTION_CALL : FinishReason.TOOL_CALLS;
  return (random) => {
    const calls: AnswerCall[] = [];
    let left = limit;
    for (const [at, tool] of tools.entries()) {
      const { name } = tool.definition;
      left -= countTokens(name);
      if (left < 0) break;
      const id = `call_${Array.from({ length: 24 }, () => random.int(36).toString(36)).join("")}`;
      const input = limitTokens(inputs[at]!(random), left);
      calls.push({ kind: isLegacy ? "legacy" : tool.kind, id, name, input });
      left = input.isCut ? -1 : left - input.tokens;
      if (left < 0) break;
    }
    return { reasoning, content: NOTHING, calls, finishReason: left < 0 ? FinishReason.LENGTH : done };
  };
}

/** Steps of work on schemas in one call, and most of them in one choice, which is made in one go: about half a second. */
const CALL_STEPS = 4_000_000;
const CHOICE_STEPS = 400_000;

/** How many steps each of some schemas of a choice may take. */
const stepsOf = ({ n = 1 }: ChatCompletionParams, schemas: number): number =>
  Math.floor(Math.min(CHOICE_STEPS, CALL_STEPS / n) / schemas);

function createInput(tool: ChosenTool, hints: string, steps: number): (random: Random) => string {
  if (tool.kind === "custom") {
    const format = tool.definition.format?.kind;
    if (format?.case !== "grammar") return () => hints;
    const pattern = `^(?:${format.value.definition})$`;
    const path = `${tool.path}.format.grammar.definition`;
    return (random) => String(sample({ type: "string", pattern }, { hints, random, steps }, path));
  }
  const { schema } = tool.definition;
  const path = `${tool.path}.parameters`;
  const parameters = schema.case === "parametersJson" ? parseSchema(schema.value) : schema.value;
  if (parameters === undefined || Object.keys(parameters).length === 0) return () => "{}";
  return (random) => JSON.stringify(sample(parameters, { hints, random, steps }, path));
}

/** Makes the function that writes what is said, before it is limited. */
function createWriter(model: SandboxModel, { params, conversation }: Task): (random: Random) => string {
  const format = params.responseFormat?.format;
  if (format?.case === "jsonSchema") {
    const { definition } = format.value;
    const path = "response_format.json_schema.schema";
    const schema = definition.case === "schemaJson" ? parseSchema(definition.value) : definition.value;
    const steps = stepsOf(params, 1);
    return (random) => JSON.stringify(sample(schema ?? {}, { hints: conversation.last, random, steps }, path));
  }
  const say = createVoice(model, params, conversation);
  return format?.case === "jsonObject" ? (random) => JSON.stringify({ answer: say(random) }) : say;
}

function createVoice(
  { voice }: SandboxModel,
  { temperature, topP }: ChatCompletionParams,
  conversation: Conversation,
): (random: Random) => string {
  const { last } = conversation;
  if (voice === "echo") return () => last;
  const { results } = conversation;
  if (results.length > 0) {
    const told = results.map(({ name, text }) => `${name} says: ${text}`).join("\n");
    return () => told;
  }
  const reply = eliza.hear({ history: conversation.earlier, text: last });
  return (random) =>
    reply({ random, ...(temperature === undefined ? {} : { temperature }), ...(topP === undefined ? {} : { topP }) });
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
function think(effort: ReasoningEffort, conversation: Conversation): string {
  const count = THOUGHTS[effort];
  if (count === 0) return "";
  const { earlier, last, results } = conversation;
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

function sample(schema: JsonValue, options: SampleOptions, path: string): JsonValue {
  const sampled = sampleSchema(schema, options);
  if (sampled.ok) return sampled.value;
  throw new GatewayError(
    Reason.UNSUPPORTED_VALUE,
    `${path}: the sandbox cannot satisfy the schema at ${sampled.path || "its root"}: ${sampled.reason}`,
    {
      param: path,
    },
  );
}

/** The schema that a text is: admission takes no text that is no JSON object. */
const parseSchema = (text: string): JsonObject => JSON.parse(text) as JsonObject;
