import { answerQuestions } from "../child-side.ts";
import { answerProbe, type ProbeQuestion } from "../probe.ts";

/** Tells the bench the port of a server, and what it asks of its process. */
export function answerAsServer(port: number): void {
  answerQuestions((question) => (question === "port" ? port : answerProbe(question as ProbeQuestion)));
}
