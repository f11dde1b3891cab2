import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { droppedKeys, mapped } from "../adjustment.ts";
import { isLegacyForm } from "../legacy-form.ts";
import { applyTable, unsupported, unsupportedValue } from "../parameter-table.ts";
import { readConversation } from "../turns.ts";
import { type Family, reportUnsaid } from "../unsaid.ts";
import type { AnswerPlan } from "./answer-plan.ts";
import { adjustCacheOptions, CacheMarks } from "./cache-marks.ts";
import type { Capabilities } from "./capabilities.ts";
import { encodeMessages } from "./encode-messages.ts";
import { encodeSampling, encodeStop, encodeTier, encodeUser, readLimit } from "./encode-parameters.ts";
import type { Notes } from "./encode-parts.ts";
import { encodeReasoning, type Reasoning } from "./encode-reasoning.ts";
import { checkNames, encodeTools, encodeWebSearch, toolsOfHistory } from "./encode-tools.ts";
import { PARAMETERS } from "./parameters.ts";
import { type AnswerForm, chooseForm } from "./response-format.ts";
import { readToolWish, type ToolWish } from "./tool-choice.ts";
import type { FunctionTool, MessagesRequest, WireMessage, WireToolChoice } from "./wire.ts";

/** A request, and what the answer to it is read by. */
export interface EncodedRequest {
  readonly body: MessagesRequest;
  readonly adjustments: readonly Adjustment[];
  readonly plan: AnswerPlan;
  /** Features that the request needs, for `anthropic-beta`. */
  readonly beta: ReadonlySet<string>;
}

const ANTHROPIC: Family = { name: "Anthropic", ownContent: undefined, takesImages: false };

/** Says a request in Anthropic's terms. Throws a GatewayError where what is asked for cannot be kept. */
export function encodeRequest(
  model: string,
  params: ChatCompletionParams,
  streaming: boolean,
  capabilities: Capabilities,
): EncodedRequest {
  const adjustments = applyTable(params, PARAMETERS);
  const notes: Notes = { adjustments, marks: new CacheMarks(params), beta: new Set() };
  adjustments.push(...reportUnsaid(params.messages, params.tools, ANTHROPIC));
  const conversation = readConversation(params);
  adjustments.push(...conversation.adjustments);
  const { system, messages } = encodeMessages(conversation, params.messages, capabilities, notes);
  adjustments.push(...notes.marks.apply(), ...adjustCacheOptions(params));

  const wish = readToolWish(params);
  const functions = encodeTools(params, wish.allowed, capabilities, adjustments);
  const names = checkNames(functions, params.tools.length > 0 ? "tools" : "functions");
  const isAnswerOpen = wish.mode !== "any" && wish.mode !== "tool";
  const chosen = chooseForm(params, names, capabilities, adjustments);
  // Where a call is forced, the answer is that call, and not one by a tool of ours.
  const form = chosen.kind === "tool" && !isAnswerOpen ? TEXT : chosen;
  if ((form.kind === "schema" || form.kind === "tool") && messages.at(-1)?.role === "assistant")
    throw unsupportedValue("response_format", "an answer that is begun cannot be held to a schema");
  const search = encodeWebSearch(params, names, adjustments);
  if (form.kind === "tool" && search !== undefined)
    throw unsupported(
      "web_search_options",
      "the answer is held to its schema by a forced call, before which no model searches",
    );
  const defined = form.kind === "tool" ? [...functions, form.tool] : functions;
  const known = defined.length > 0 || search !== undefined ? defined : toolsOfHistory(conversation, adjustments);

  const limit = readLimit(params, capabilities, adjustments);
  const reasoning = encodeReasoning(params, capabilities, limit.tokens, limit.path, isUnsignedLoop(messages));
  adjustments.push(
    ...reasoning.adjustments,
    ...droppedKeys("", params.extra, "Anthropic has no such parameter", reasoning.keys),
  );
  const isThinking = reasoning.thinking?.type === "enabled" || reasoning.thinking?.type === "adaptive";
  const { choice, words } = chooseTools(wish, form, defined, known, params, capabilities, adjustments);
  refuseWithBudget(reasoning, choice, form, wish, messages);
  const asked = [...(form.kind === "words" ? [form.words] : []), ...words];
  const texts = [...system, ...asked.map((text) => ({ type: "text" as const, text }))];
  const tools = search === undefined ? known : [...known, search];
  const config = {
    ...(reasoning.effort === undefined ? {} : { effort: reasoning.effort }),
    ...(form.kind === "schema" ? { format: { type: "json_schema" as const, schema: form.schema } } : {}),
  };
  const body: MessagesRequest = {
    model,
    max_tokens: reasoning.maxTokens,
    ...(streaming ? { stream: true } : {}),
    ...(reasoning.thinking === undefined ? {} : { thinking: reasoning.thinking }),
    ...(Object.keys(config).length === 0 ? {} : { output_config: config }),
    ...(texts.length === 0 ? {} : { system: texts }),
    ...(tools.length === 0 ? {} : { tools }),
    ...(choice === undefined ? {} : { tool_choice: choice }),
    messages,
    ...encodeSampling(params, capabilities, isThinking, adjustments),
    ...encodeStop(params, adjustments),
    ...encodeUser(params, adjustments),
    ...encodeTier(params, notes),
  };
  return { body, adjustments, plan: planAnswer(params, form), beta: notes.beta };
}

const TEXT: AnswerForm = { kind: "text" };

function planAnswer(params: ChatCompletionParams, form: AnswerForm): AnswerPlan {
  return {
    customTools: new Set(params.tools.flatMap(({ kind }) => (kind.case === "custom" ? [kind.value.name] : []))),
    isLegacy: isLegacyForm(params),
    answerTool: form.kind === "tool" ? form.tool.name : undefined,
    isFenced: form.kind === "words",
  };
}

/** Whether the tool loop that goes on began without signed thoughts, as a model with a budget must not continue it. */
function isUnsignedLoop(messages: readonly WireMessage[]): boolean {
  const last = messages.findLast(({ role }) => role === "assistant");
  if (last?.role !== "assistant" || !last.content.some(({ type }) => type === "tool_use")) return false;
  const first = last.content[0]?.type;
  return first !== "thinking" && first !== "redacted_thinking";
}

/** Which tools the model may or must call; where it cannot be forced, it is asked in words. */
function chooseTools(
  wish: ToolWish,
  form: AnswerForm,
  defined: readonly FunctionTool[],
  known: readonly FunctionTool[],
  params: ChatCompletionParams,
  { forcedToolChoice }: Capabilities,
  adjustments: Adjustment[],
): { choice: WireToolChoice | undefined; words: string[] } {
  if (form.kind === "tool") {
    const isOnly = defined.length === 1 || wish.mode === "none";
    const choice: WireToolChoice = isOnly
      ? { type: "tool", name: form.tool.name, disable_parallel_tool_use: true }
      : { type: "any", disable_parallel_tool_use: true };
    return { choice, words: [] };
  }
  if (defined.length === 0) return { choice: known.length === 0 ? undefined : { type: "none" }, words: [] };
  // An answer in the legacy form has room for one call.
  const isSingle = params.parallelToolCalls === false || isLegacyForm(params);
  const single = isSingle ? { disable_parallel_tool_use: true as const } : {};
  switch (wish.mode) {
    case "none":
      return { choice: { type: "none" }, words: [] };
    case "auto":
      return { choice: { type: "auto", ...single }, words: [] };
    case undefined:
      return { choice: isSingle ? { type: "auto", ...single } : undefined, words: [] };
    case "any":
    case "tool": {
      const { name } = wish;
      if (forcedToolChoice)
        return {
          choice: name === undefined ? { type: "any", ...single } : { type: "tool", name, ...single },
          words: [],
        };
      const why = "this model cannot be forced to call a tool: it is asked to";
      adjustments.push(mapped(wish.path, why, name ?? "required", "auto"));
      const which = name === undefined ? "at least one of the tools" : `the tool "${name}"`;
      return { choice: { type: "auto", ...single }, words: [`Answer by calling ${which}.`] };
    }
    default:
      return wish.mode satisfies never;
  }
}

/** Refuses what does not go together with a budget for thinking: forced calls, and an answer that is begun. */
function refuseWithBudget(
  { thinking, path }: Reasoning,
  choice: WireToolChoice | undefined,
  form: AnswerForm,
  wish: ToolWish,
  messages: readonly WireMessage[],
): void {
  if (thinking?.type !== "enabled") return;
  if (choice?.type === "any" || choice?.type === "tool") {
    const forced = form.kind === "tool" ? "response_format" : wish.path;
    throw unsupportedValue(forced, `this model cannot think, as ${path} asks, and be forced to call a tool`);
  }
  if (messages.at(-1)?.role === "assistant")
    throw unsupportedValue(path, "this model cannot think before it continues an answer");
}
