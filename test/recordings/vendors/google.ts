import { ApiError, GoogleGenAI } from "@google/genai";
import { type GoogleJson, readGoogleResponses } from "../reading/google.ts";
import type { Recording } from "../recordings.ts";
import { fromReading, type VendorResult } from "./vendor.ts";

/** What Google's SDK makes of a recording. It has no helper that puts a stream together. */
export async function callGoogle(baseUrl: string, { streaming, name }: Recording): Promise<VendorResult> {
  const { models } = new GoogleGenAI({ apiKey: "none needed", httpOptions: { baseUrl } });
  const request = { model: name, contents: "Well?" };
  const responses: GoogleJson[] = [];
  try {
    if (streaming) {
      for await (const response of await models.generateContentStream(request))
        responses.push(response as unknown as GoogleJson);
    } else responses.push((await models.generateContent(request)) as unknown as GoogleJson);
    return fromReading(readGoogleResponses(responses, streaming));
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown;
    // The message is the body, as JSON.
    return { kind: "error", status: thrown.status, text: thrown.message.replaceAll("\\n", "\n") };
  }
}
