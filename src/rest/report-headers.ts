import { type Adjustment, Adjustment_ActionSchema, type CallReport } from "../gen/parley/chat/v1/report_pb.ts";
import { enumWords } from "../openai-json/words.ts";
import type { AnswerHeaders } from "./exchange.ts";
import { headerItem, headerList, headerText } from "./header-text.ts";

/** Longest id or model's name of a provider's own that is passed on. Half of one would be a wrong one, so a longer one is left out. */
const MAX_UPSTREAM_TEXT = 256;

/**
 * The headers that tell of a call what its JSON has no place for: `x-parley-provider`, `x-parley-model`, what the provider
 * itself calls its answer and model, and, where parameters were adjusted, `x-parley-adjustments` ("temperature=dropped,
 * messages[0].name=mapped").
 */
export function reportHeaders(report: CallReport | undefined): AnswerHeaders {
  if (report === undefined) return [];
  const headers: string[] = [];
  if (report.provider !== "") headers.push("x-parley-provider", headerText(report.provider));
  if (report.model !== "") headers.push("x-parley-model", headerText(report.model));
  const { upstreamModel, upstreamId } = report;
  if (isTold(upstreamModel)) headers.push("x-parley-upstream-model", headerText(upstreamModel));
  if (isTold(upstreamId)) headers.push("x-parley-upstream-id", headerText(upstreamId));
  if (report.adjustments.length > 0) headers.push("x-parley-adjustments", headerList(report.adjustments.map(describe)));
  if (report.costNanoDollars !== undefined) headers.push("x-parley-cost-nano-dollars", `${report.costNanoDollars}`);
  return headers;
}

/** The header that names the parameters that nobody knows, by their paths. */
export function ignoredHeaders(paths: readonly string[]): AnswerHeaders {
  return paths.length === 0 ? [] : ["x-parley-ignored", headerList(paths.map(headerItem))];
}

const isTold = (text: string | undefined): text is string =>
  text !== undefined && text !== "" && text.length <= MAX_UPSTREAM_TEXT;

function describe({ path, action }: Adjustment): string {
  const word = enumWords(Adjustment_ActionSchema).wordOf.get(action);
  return `${headerItem(path)}=${word ?? action}`;
}
