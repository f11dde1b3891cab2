/** The side of a child in its talk with the bench: it says that it is ready, and answers one question after the other. */

/** What is answered to a question: a value, or why there is none. */
export type Reply = { readonly value: unknown } | { readonly error: string };

/** Answers the questions of the bench until it goes away, and ends with it. */
export function answerQuestions(answer: (question: unknown) => unknown): void {
  process.on("message", async (question) => {
    try {
      send({ value: await answer(question) });
    } catch (error) {
      send({ error: String(error) });
    }
  });
  process.on("disconnect", () => process.exit());
  send({ value: "ready" });
}

function send(reply: Reply): void {
  process.send?.(reply);
}
