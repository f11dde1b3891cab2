/** What an answer is read by: what was asked for in a way that shows in it. */
export interface AnswerPlan {
  /** Names of tools with free text. */
  readonly customTools: ReadonlySet<string>;
  /** Whether tools were given in the legacy form, and calls are to be told in it. */
  readonly isLegacy: boolean;
  /** Name of the tool whose arguments are the answer; undefined: there is none. */
  readonly answerTool: string | undefined;
  /** Whether the answer is JSON that the model may have put into a fence of Markdown. */
  readonly isFenced: boolean;
}
