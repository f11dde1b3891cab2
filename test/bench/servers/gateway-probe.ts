/** Goes into the gateway's process before its program, and answers what the bench asks of it. */
import { answerQuestions } from "../child-side.ts";
import { answerProbe, type ProbeQuestion } from "../probe.ts";

answerQuestions((question) => answerProbe(question as ProbeQuestion));
