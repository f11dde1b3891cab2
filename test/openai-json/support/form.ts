import { create, type DescMessage, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { expect } from "vitest";
import { ChatCompletionParamsSchema } from "../../../src/gen/parley/chat/v1/params_pb.ts";
import { decodeJson } from "../../../src/openai-json/decode.ts";
import { encodeJson } from "../../../src/openai-json/encode.ts";

/** A form of OpenAI's JSON, and the message that it stands for. */
export interface Form {
  readonly name: string;
  check(): void;
}

/** Whether a form is one of answers, with their nulls, or one of requests, without. */
type Use = "answer" | "request";

/** A form that is read as the message, which is written as `json` again, or as `written` where the message has several forms. */
export function form<Desc extends DescMessage>(
  use: Use,
  desc: Desc,
  name: string,
  json: JsonObject,
  init: MessageInitShape<Desc>,
  written: JsonObject = json,
): Form {
  return {
    name,
    check() {
      const unknown: string[] = [];
      const message = decodeJson(desc, json, { onUnknownKey: (path) => unknown.push(path) });
      expect(message).toEqual(create(desc, init));
      expect(unknown).toEqual([]);
      expect(encodeJson(desc, message, { nulls: use === "answer" })).toStrictEqual(written);
    },
  };
}

/** What parameters are made of. */
export type Params = MessageInitShape<typeof ChatCompletionParamsSchema>;

/** A form of parameters that have neither model nor messages besides it. */
export function params(name: string, json: JsonObject, init: Params, written: JsonObject = json): Form {
  return form("request", ChatCompletionParamsSchema, name, json, init, { model: "", messages: [], ...written });
}
