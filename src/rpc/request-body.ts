import type { HttpRequest } from "../lib/http-exchange.ts";

/** The body of a request as Connect reads it. */
export interface RequestBody {
  /** Ends the reading with this error, wherever it stands. */
  breakOff(error: unknown): void;
}

/**
 * Makes the reading of a request's body one that can be broken off while the client is slow to send; Connect itself waits for it
 * beyond the deadline. And the request outlives the reading, as Node would not have it: it destroys a request whose
 * iteration ends early, and nothing could take the rest off the wire any more.
 */
export function openRequestBody(request: HttpRequest): RequestBody {
  let fail: (error: unknown) => void = () => undefined;
  let fault: { readonly error: unknown } | undefined;
  const iterate = (): AsyncIterator<unknown> => {
    const chunks: AsyncIterator<unknown> = request.iterator({ destroyOnReturn: false });
    return {
      next: () =>
        new Promise((resolve, reject) => {
          fail = reject;
          if (fault === undefined) chunks.next().then(resolve, reject);
          else reject(fault.error);
        }),
      return: async () => (await chunks.return?.()) ?? { done: true, value: undefined },
    };
  };
  Object.assign(request, { [Symbol.asyncIterator]: iterate });
  return {
    breakOff(error) {
      fault = { error };
      // The iterator still listens for the next chunk, and as long as it does nobody else can take the rest off the wire.
      request.removeAllListeners("readable");
      fail(error);
    },
  };
}
