import { type DescField, type DescMessage, getOption, ScalarType } from "@bufbuild/protobuf";
import { json } from "../gen/parley/options/v1/options_pb.ts";
import type { MessagePlan, ValuePlan } from "./plan.ts";
import { enumWords } from "./words.ts";

const INT32 = { kind: "int", least: -(2 ** 31), most: 2 ** 31 - 1 } as const;
const UINT32 = { kind: "int", least: 0, most: 2 ** 32 - 1 } as const;
const INT64 = { kind: "long", least: -(2n ** 63n), most: 2n ** 63n - 1n } as const;
const UINT64 = { kind: "long", least: 0n, most: 2n ** 64n - 1n } as const;

/** What a field's value, a list's element or a map's entry is in JSON. */
export function compileValue(field: DescField, planOf: (desc: DescMessage) => MessagePlan): ValuePlan {
  if (getOption(field, json).jsonText) return { kind: "json_text" };
  if (field.message !== undefined) return compileMessageValue(field.message, planOf);
  if (field.enum !== undefined) return { kind: "enum", words: enumWords(field.enum) };
  return compileScalar(field.scalar!, "longAsString" in field && field.longAsString);
}

function compileMessageValue(desc: DescMessage, planOf: (desc: DescMessage) => MessagePlan): ValuePlan {
  switch (desc.typeName) {
    case "google.protobuf.Struct":
      return { kind: "struct" };
    case "google.protobuf.Value":
      return { kind: "json", desc, list: false };
    case "google.protobuf.ListValue":
      return { kind: "json", desc, list: true };
    case "google.protobuf.Duration":
      return { kind: "duration" };
    case "google.protobuf.Timestamp":
      return { kind: "timestamp" };
    default:
      if (!desc.typeName.startsWith("google.protobuf.")) return { kind: "message", plan: planOf(desc) };
      throw new Error(`${desc.typeName} has no form in OpenAI's JSON`);
  }
}

/** What a scalar is in JSON. `asString`: whether a 64-bit integer is a decimal string in the message. */
export function compileScalar(scalar: ScalarType, asString: boolean): ValuePlan {
  switch (scalar) {
    case ScalarType.STRING:
      return { kind: "string" };
    case ScalarType.BOOL:
      return { kind: "bool" };
    case ScalarType.BYTES:
      return { kind: "bytes" };
    case ScalarType.DOUBLE:
      return { kind: "double", single: false };
    case ScalarType.FLOAT:
      return { kind: "double", single: true };
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return INT32;
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return UINT32;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return { ...INT64, asString };
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return { ...UINT64, asString };
  }
}
