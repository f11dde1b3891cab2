import { GatewayError } from "../errors/gateway-error.ts";
import { type ChatCompletionParams, OutputModality } from "../gen/parley/chat/v1/params_pb.ts";
import type { Tool } from "../gen/parley/chat/v1/tool_pb.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";

/**
 * Checks how the parameters fit each other and the kind of call, where the contract's rules do not say it. Fails with
 * INVALID_VALUE, naming the parameter. `streaming`: undefined for a call that is queued.
 */
export function checkParams(params: ChatCompletionParams, streaming: boolean | undefined): void {
  if (streaming !== undefined) checkKind(params, streaming);
  if (params.modalities.includes(OutputModality.AUDIO) && params.audio === undefined) {
    throw invalid("modalities", "with audio needs the parameter audio");
  }
  checkChosenTools(params);
  checkChosenFunction(params);
}

/** A queued call may say what it likes here; for others, the method that was called decides. */
function checkKind(params: ChatCompletionParams, streaming: boolean): void {
  if (params.stream !== undefined && params.stream !== streaming) {
    throw invalid("stream", `is ${params.stream}, but the method that was called says ${streaming}`);
  }
  if (params.streamOptions !== undefined && !streaming) throw invalid("stream_options", "needs stream: true");
  if (params.async === true) {
    throw invalid("async", "is for REST; on this door, parley.runs.v1.RunsService/CreateRun queues a call");
  }
}

const toolName = ({ kind }: Tool): string => `${kind.case} ${kind.value?.name}`;

/** A tool that is chosen must be one of the tools. */
function checkChosenTools({ tools, toolChoice }: ChatCompletionParams): void {
  const choice = toolChoice?.choice;
  switch (choice?.case) {
    case "function":
    case "custom":
      if (!tools.map(toolName).includes(`${choice.case} ${choice.value.name}`)) {
        throw invalid(`tool_choice.${choice.case}.name`, "is not the name of one of the tools");
      }
      break;
    case "allowedTools": {
      const names = new Set(tools.map(toolName));
      const unknown = choice.value.tools.findIndex(({ kind }) => !names.has(`${kind.case} ${kind.value?.name}`));
      if (unknown >= 0) throw invalid(`tool_choice.allowed_tools.tools[${unknown}]`, "is not one of the tools");
      break;
    }
    case "mode":
    case undefined:
      break;
    default:
      choice satisfies never;
  }
}

/** A function that is chosen must be one of the functions. */
function checkChosenFunction({ functions, functionCall }: ChatCompletionParams): void {
  const choice = functionCall?.choice;
  if (choice?.case === "name" && !functions.some(({ name }) => name === choice.value)) {
    throw invalid("function_call.name", "is not the name of one of the functions");
  }
}

const invalid = (path: string, what: string): GatewayError =>
  new GatewayError(Reason.INVALID_VALUE, `${path} ${what}`, {
    param: path,
    violations: [{ path: `params.${path}`, description: `${path} ${what}`, rule: "params.fit" }],
  });
