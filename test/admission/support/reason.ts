import { GatewayError } from "../../../src/errors/gateway-error.ts";

/** The reason and the words of what fails, "INVALID_API_KEY: …"; "none" for what does not. */
export async function failureOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "none";
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return `${error.reasonName}: ${error.message}`;
  }
}

/** The reason alone. */
export const reasonOf = async (work: () => unknown): Promise<string> => (await failureOf(work)).split(":", 1)[0] ?? "";
