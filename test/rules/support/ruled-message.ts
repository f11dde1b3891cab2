import { create, createFileRegistry, type DescMessage, type MessageInitShape, setExtension } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Type,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_duration,
  FieldDescriptorProto_Label as Label,
  MessageOptionsSchema,
  type FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import {
  FieldRulesSchema,
  field as fieldOption,
  MessageRulesSchema,
  message as messageOption,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** The field `it` of a message, and the rules of both. */
export interface RuledField {
  readonly type: Type;
  readonly typeName?: string;
  /** Unset: it is one, and it is known whether it is there. */
  readonly kind?: "repeated" | "implicit";
  readonly rules?: MessageInitShape<typeof FieldRulesSchema>;
  readonly messageRules?: MessageInitShape<typeof MessageRulesSchema>;
}

/** Makes a message of proto3 with that field, and with the optional text `other`. */
export function ruledMessage({ type, typeName = "", kind, rules, messageRules }: RuledField): DescMessage {
  const options = create(FieldOptionsSchema);
  if (rules !== undefined) setExtension(options, fieldOption, create(FieldRulesSchema, rules));
  const messageOptions = create(MessageOptionsSchema);
  if (messageRules !== undefined) {
    setExtension(messageOptions, messageOption, create(MessageRulesSchema, messageRules));
  }
  const isOptional = kind === undefined && type !== FieldDescriptorProto_Type.MESSAGE;
  const one = { name: "it", number: 1, type, typeName, options };
  const other = { name: "other", number: 2, type: FieldDescriptorProto_Type.STRING, label: Label.OPTIONAL };
  const file = create(FileDescriptorProtoSchema, {
    name: "test.proto",
    package: "test",
    syntax: "proto3",
    dependency: ["google/protobuf/duration.proto"],
    messageType: [
      {
        name: "Ruled",
        options: messageOptions,
        field: [
          { ...other, oneofIndex: 0, proto3Optional: true },
          {
            ...one,
            label: kind === "repeated" ? Label.REPEATED : Label.OPTIONAL,
            ...(isOptional ? { oneofIndex: 1, proto3Optional: true } : {}),
          },
        ],
        oneofDecl: [{ name: "_other" }, ...(isOptional ? [{ name: "_it" }] : [])],
      },
    ],
    enumType: [{ name: "Three", value: ["ZERO", "ONE", "TWO"].map((name, number) => ({ name, number })) }],
  });
  const registry = createFileRegistry(file, (name) =>
    name === file_google_protobuf_duration.name + ".proto" ? file_google_protobuf_duration : undefined,
  );
  return registry.getMessage("test.Ruled") as DescMessage;
}
