import { GatewayError } from "../../errors/gateway-error.ts";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import { AllowedTools_Mode, FunctionCallChoice_Mode, ToolChoice_Mode } from "../../gen/parley/chat/v1/tool_pb.ts";
import { Reason } from "../../gen/parley/errors/v1/errors_pb.ts";

/** Which tools are to be called, in whichever form it is said. */
export interface ToolWish {
  readonly mode: "none" | "auto" | "any" | "tool" | undefined;
  /** The tool that is to be called (tool). */
  readonly name?: string;
  /** The tools that may be called; undefined: all. */
  readonly allowed?: ReadonlySet<string>;
  /** Path of the parameter that says so. */
  readonly path: string;
}

/** Reads `tool_choice`, or `function_call` of the legacy form. Fails with INVALID_VALUE where it names a tool that is not defined. */
export function readToolWish(params: ChatCompletionParams): ToolWish {
  const wish = params.toolChoice === undefined ? readLegacy(params) : readChoice(params);
  const names = definedNames(params);
  const unknown = [...(wish.name === undefined ? [] : [wish.name]), ...(wish.allowed ?? [])].find(
    (name) => !names.has(name),
  );
  if (unknown === undefined) return wish;
  throw new GatewayError(Reason.INVALID_VALUE, `${wish.path}: no tool is named "${unknown.slice(0, 64)}"`, {
    param: wish.path,
  });
}

function readChoice({ toolChoice }: ChatCompletionParams): ToolWish {
  const path = "tool_choice";
  const choice = toolChoice?.choice;
  switch (choice?.case) {
    case "mode":
      return { path, mode: MODES[choice.value] };
    case "function":
    case "custom":
      return { path, mode: "tool", name: choice.value.name };
    case "allowedTools": {
      const { mode, tools } = choice.value;
      const allowed = new Set(tools.map(({ kind }) => kind.value?.name ?? ""));
      return { path, mode: mode === AllowedTools_Mode.REQUIRED ? "any" : "auto", allowed };
    }
    case undefined:
      return { path, mode: undefined };
    default:
      return choice satisfies never;
  }
}

function readLegacy({ functionCall }: ChatCompletionParams): ToolWish {
  const path = functionCall === undefined ? "tool_choice" : "function_call";
  const choice = functionCall?.choice;
  switch (choice?.case) {
    case "mode":
      return { path, mode: choice.value === FunctionCallChoice_Mode.NONE ? "none" : "auto" };
    case "name":
      return { path, mode: "tool", name: choice.value };
    case undefined:
      return { path, mode: undefined };
    default:
      return choice satisfies never;
  }
}

const MODES: Readonly<Record<ToolChoice_Mode, ToolWish["mode"]>> = {
  [ToolChoice_Mode.UNSPECIFIED]: undefined,
  [ToolChoice_Mode.NONE]: "none",
  [ToolChoice_Mode.AUTO]: "auto",
  [ToolChoice_Mode.REQUIRED]: "any",
};

const definedNames = ({ tools, functions }: ChatCompletionParams): Set<string> =>
  new Set([...tools.map(({ kind }) => kind.value?.name ?? ""), ...functions.map(({ name }) => name)]);
