/** The process of the load client: makes the calls that it is told to make, and tells what came of them. */
import { answerQuestions } from "../child-side.ts";
import { runClosed } from "./closed.ts";
import type { Load } from "./load.ts";
import { closeOpen, runOpen } from "./open.ts";
import { runTurns } from "./turns.ts";

answerQuestions((question) => {
  const load = question as Load;
  switch (load.kind) {
    case "closed":
      return runClosed(load);
    case "turns":
      return runTurns(load);
    case "open":
      return runOpen(load);
    case "close":
      return closeOpen();
  }
});
