import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import {
  AllowedTools_Mode,
  type CustomTool,
  FunctionCallChoice_Mode,
  type FunctionDefinition,
  type Tool,
  ToolChoice_Mode,
} from "../../gen/parley/chat/v1/tool_pb.ts";
import type { Conversation } from "./conversation.ts";

/** A tool that is going to be called. */
export type ChosenTool =
  | { readonly kind: "function"; readonly definition: FunctionDefinition; readonly path: string }
  | { readonly kind: "custom"; readonly definition: CustomTool; readonly path: string };

/** Which tools may be called, and whether one must be. */
interface Offer {
  readonly tools: readonly ChosenTool[];
  readonly must: boolean;
}

/** Most tools of one answer. */
const MOST_CALLS = 4;

/**
 * Chooses the tools to call for what the user says: those whose name or description has a word in common with it, the best one
 * first. Where a tool must be called and none has, the first one is. Where a result of a tool has come already, none is, unless
 * it must.
 */
export function chooseTools(params: ChatCompletionParams, conversation: Conversation): readonly ChosenTool[] {
  if (params.tools.length === 0 && params.functions.length === 0) return [];
  const { tools, must } = params.tools.length > 0 ? offerTools(params) : offerFunctions(params);
  if (tools.length === 0 || (!must && conversation.results.length > 0)) return [];
  const words = new Set(wordsOf(conversation.last));
  const ranked = tools
    .map((tool) => ({ tool, score: scoreOf(tool, words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ tool }) => tool);
  const chosen = ranked.length === 0 && must ? tools.slice(0, 1) : ranked;
  const single = params.parallelToolCalls === false || params.tools.length === 0;
  return chosen.slice(0, single ? 1 : MOST_CALLS);
}

function offerTools({ tools, toolChoice }: ChatCompletionParams): Offer {
  const all = tools.flatMap(toChosen);
  const named = (kind: ChosenTool["kind"], name: string) =>
    all.filter((tool) => tool.kind === kind && tool.definition.name === name);
  const choice = toolChoice?.choice;
  switch (choice?.case) {
    case undefined:
      return { tools: all, must: false };
    case "mode":
      return {
        tools: choice.value === ToolChoice_Mode.NONE ? [] : all,
        must: choice.value === ToolChoice_Mode.REQUIRED,
      };
    case "function":
    case "custom":
      return { tools: named(choice.case, choice.value.name), must: true };
    case "allowedTools": {
      const allowed = choice.value.tools.flatMap(({ kind }) =>
        kind.case === undefined ? [] : named(kind.case, kind.value.name),
      );
      return { tools: allowed, must: choice.value.mode === AllowedTools_Mode.REQUIRED };
    }
  }
}

function offerFunctions({ functions, functionCall }: ChatCompletionParams): Offer {
  const all = functions.map(
    (definition, index): ChosenTool => ({ kind: "function", definition, path: `functions[${index}]` }),
  );
  const choice = functionCall?.choice;
  switch (choice?.case) {
    case undefined:
      return { tools: all, must: false };
    case "mode":
      return { tools: choice.value === FunctionCallChoice_Mode.NONE ? [] : all, must: false };
    case "name":
      return { tools: all.filter(({ definition }) => definition.name === choice.value), must: true };
  }
}

function toChosen({ kind }: Tool, index: number): ChosenTool[] {
  switch (kind.case) {
    case "function":
      return [{ kind: "function", definition: kind.value, path: `tools[${index}].function` }];
    case "custom":
      return [{ kind: "custom", definition: kind.value, path: `tools[${index}].custom` }];
    case undefined:
      return [];
  }
}

/** Words in the name weigh more than words in the description. */
const scoreOf = ({ definition }: ChosenTool, words: ReadonlySet<string>): number =>
  3 * countIn(wordsOf(definition.name), words) + countIn(wordsOf(definition.description ?? ""), words);

const countIn = (some: readonly string[], words: ReadonlySet<string>): number =>
  new Set(some.filter((word) => words.has(word))).size;

/** Words that say nothing of what a text is about. */
const COMMON = new Set(
  "about and are call can could current data does find for from get give has have her him his how its list look make me more not of on or our out please run say see set she some tell that the their them then there they this tool use using was what when where which who will with would you your".split(
    " ",
  ),
);

/** Words of at least three letters, in lower case and without a plural s; names are cut at "_", "-" and capitals. */
function wordsOf(text: string): string[] {
  return text
    .slice(0, 10_000)
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length >= 3 && !COMMON.has(word))
    .map((word) => (word.length > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word));
}
