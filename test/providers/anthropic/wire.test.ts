import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import type { ModelInfo } from "@anthropic-ai/sdk/resources/models";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { MessagesRequest } from "../../../src/providers/anthropic/wire.ts";
import { bodyOf, plan } from "./support.ts";

/** What the newest version of the API, whose types these are, does not have any more. */
type Former = "temperature" | "top_p" | "top_k";

describe("the wire types", () => {
  it("are Anthropic's own", () => {
    expectTypeOf<Omit<MessagesRequest, Former>>().toExtend<MessageCreateParams>();
    expectTypeOf<keyof Omit<MessagesRequest, Former>>().toExtend<keyof MessageCreateParams>();
    expectTypeOf<"id" | "display_name" | "created_at" | "retires_at" | "max_tokens" | "max_input_tokens">().toExtend<
      keyof ModelInfo
    >();
  });

  it("name every key that is sent", () => {
    const body = bodyOf(
      plan(
        {
          temperature: 0.5,
          top_k: 5,
          stop: "x",
          user: "u",
          service_tier: "default",
          response_format: {
            type: "json_schema",
            json_schema: { name: "n", schema: { type: "object", properties: {} } },
          },
          tools: [{ type: "function", function: { name: "f" } }],
          tool_choice: "auto",
          messages: [
            { role: "system", content: "S" },
            { role: "user", content: "Hi" },
          ],
        },
        { model: "claude-sonnet-4-5", streaming: true },
      ),
    );
    const keys = {
      max_tokens: 0,
      messages: 0,
      metadata: 0,
      model: 0,
      output_config: 0,
      service_tier: 0,
      stop_sequences: 0,
      stream: 0,
      system: 0,
      temperature: 0,
      tool_choice: 0,
      tools: 0,
      top_k: 0,
    } satisfies Partial<Record<keyof MessagesRequest, 0>>;
    expect(Object.keys(body).sort()).toEqual(Object.keys(keys));
  });
});
