import type { GatewayError } from "../errors/gateway-error.ts";
import type { Failure, Provider } from "../providers/provider.ts";
import { invalidResponse } from "../providers/upstream-error.ts";
import type { UpstreamAnswer } from "./client.ts";
import { isEncoded } from "./content-kind.ts";
import { withoutSecrets } from "./without-secrets.ts";

/** How much of the body of a failure is read, and for how long: its status alone already says what to do. */
const MAX_BYTES = 64 * 1024;
const MAX_MS = 2_000;

/** Makes an error of an answer that is no success. Throws the signal's reason when the call ends while its body is read. */
export async function readFailure(
  provider: Provider,
  answer: UpstreamAnswer,
  signal: AbortSignal,
): Promise<GatewayError> {
  const { status, receivedAt } = answer;
  const header: Failure["header"] = (name) => answer.header(name);
  if (status < 400) {
    answer.discard();
    // Following it could take the provider's key to somebody else.
    return invalidResponse(provider.id, `HTTP ${status}, a redirection, which is not followed`);
  }
  const start = await readStart(answer, signal);
  // Before it is shortened: half of a secret would not be found.
  const body = isEncoded(answer) ? "" : withoutSecrets(provider.endpoint, start);
  return provider.decodeError({ status, header, body, receivedAt });
}

/** The body as far as it comes; a body that stalls or is cut is as good as one that ends there. */
async function readStart(answer: UpstreamAnswer, signal: AbortSignal): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let left = MAX_BYTES;
  const timer = setTimeout(() => answer.discard(), MAX_MS);
  try {
    for await (const piece of answer.body) {
      text += decoder.decode(piece.subarray(0, left), { stream: true });
      left -= piece.length;
      if (left <= 0) break;
    }
  } catch {
    signal.throwIfAborted(); // Any other fault cut the body, and nothing more.
  } finally {
    clearTimeout(timer);
  }
  return text;
}
