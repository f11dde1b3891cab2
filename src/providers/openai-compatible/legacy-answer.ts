import { create } from "@bufbuild/protobuf";
import {
  type FunctionCallDelta,
  FunctionCallDeltaSchema,
  type ToolCallDelta,
} from "../../gen/parley/chat/v1/completion_pb.ts";
import { severalCalls } from "../legacy-form.ts";

/**
 * News of the one call that the legacy form has room for, from news of tool calls. What goes with a call
 * besides its name and arguments has no place in that form. Throws UPSTREAM_INVALID_RESPONSE for a second call. `provider`: its id.
 */
export function callInLegacyForm(news: readonly ToolCallDelta[], provider: string): FunctionCallDelta {
  const call = create(FunctionCallDeltaSchema, { arguments: "" });
  for (const { index, function: fn, custom } of news) {
    if (index > 0) throw severalCalls(provider);
    const name = fn?.name ?? custom?.name;
    if (name !== undefined) call.name = name;
    call.arguments += fn?.arguments ?? custom?.input ?? "";
  }
  return call;
}
