import { median } from "./median.ts";

/** A line of the bench's table. Less is better in all of them. */
export interface Line {
  /** What `--case` and the baseline know it by: "rest.unary". */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** The gateway's figure of each round. */
  readonly ours: readonly number[];
  /** That of the server that it is compared with, in the same rounds. */
  readonly theirs?: readonly number[] | undefined;
  readonly comparedWith?: string;
  /** The peer's. */
  readonly peer?: readonly number[] | undefined;
  /** What is looked at: by how many times it is theirs, by how much it is more, or the figure itself. */
  readonly judgedBy: Judgement;
  /** What that is to be at most. */
  readonly aim?: number | undefined;
  /** The part by which it differs from run to run. A change that is larger is shown as one. */
  readonly noise: number;
}

/** What a line is judged by. */
export type Judgement = "ratio" | "more" | "figure";

/** What is looked at of a line: the median over its rounds. What is compared is compared within each round. */
export function resultOf({ ours, theirs = [], judgedBy }: Line): number {
  switch (judgedBy) {
    case "ratio":
      return median(ours.map((figure, round) => figure / (theirs[round] as number)));
    case "more":
      return median(ours.map((figure, round) => figure - (theirs[round] as number)));
    case "figure":
      return median(ours);
  }
}
