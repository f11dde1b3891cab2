import {
  create,
  createFileRegistry,
  type DescMessage,
  type MessageInitShape,
  type Registry,
  setExtension,
} from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  EnumDescriptorProtoSchema,
  EnumValueOptionsSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FieldOptions_JSType,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_duration,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  MessageOptionsSchema,
  OneofDescriptorProtoSchema,
  OneofOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import {
  JsonFieldSchema,
  JsonMessageSchema,
  JsonOneofSchema,
  json,
  json_message,
  json_oneof,
  word,
} from "../../../src/gen/parley/options/v1/options_pb.ts";

/** A field, as a test describes it: a scalar's name ("int32"), or the name of a message or enum. */
export interface MadeField {
  readonly type: string;
  readonly label?: "optional" | "repeated";
  /** Type of a map's keys; `type` is that of its values. */
  readonly mapKey?: string;
  /** Name of the oneof that it is in. */
  readonly oneof?: string;
  readonly json?: MessageInitShape<typeof JsonFieldSchema>;
  /** Whether a 64-bit integer is a string in the message. */
  readonly asString?: boolean;
}

/** A message, as a test describes it. */
export interface MadeMessage {
  readonly fields: Readonly<Record<string, MadeField>>;
  readonly oneofs?: Readonly<Record<string, MessageInitShape<typeof JsonOneofSchema>>>;
  readonly constants?: Readonly<Record<string, string>>;
}

const SHADE = create(EnumDescriptorProtoSchema, {
  name: "Shade",
  value: ["SHADE_UNSPECIFIED", "SHADE_LIGHT", "SHADE_DARK"].map((name, number) => ({ name, number })),
});

/** Its zero has a word, and its one has two names; one of the names has no prefix, and another would begin with a digit. */
const SPEED = create(EnumDescriptorProtoSchema, {
  name: "TopSpeed",
  options: { allowAlias: true },
  value: [
    { name: "TOP_SPEED_STILL", number: 0, options: withWord("still") },
    { name: "TOP_SPEED_SLOW", number: 1 },
    { name: "WALKING", number: 1 },
    { name: "TOP_SPEED_100", number: 2 },
  ],
});

function withWord(value: string) {
  const options = create(EnumValueOptionsSchema);
  setExtension(options, word, value);
  return options;
}

/**
 * Makes descriptors, for what the project's own messages do not have. There are two enums, `Shade` (light, dark) and `TopSpeed`
 * (still, which is zero, slow or walking, 100), and what is imported of
 * google.protobuf is named by its full name.
 */
export function makeMessages(messages: Readonly<Record<string, MadeMessage>>): (name: string) => DescMessage {
  const file = create(FileDescriptorProtoSchema, {
    name: "made.proto",
    syntax: "proto3",
    package: "made",
    dependency: ["duration", "struct", "field_mask"].map((name) => `google/protobuf/${name}.proto`),
    enumType: [SHADE, SPEED],
    messageType: Object.entries(messages).map(([name, message]) => makeMessage(name, message)),
  });
  const imports = [file_google_protobuf_duration, file_google_protobuf_struct, file_google_protobuf_field_mask];
  const set = create(FileDescriptorSetSchema, { file: [...imports.map(({ proto }) => proto), file] });
  const registry: Registry = createFileRegistry(set);
  return (name) => registry.getMessage(`made.${name}`)!;
}

function makeMessage(name: string, { fields, oneofs = {}, constants = {} }: MadeMessage): DescriptorProto {
  const options = create(MessageOptionsSchema);
  setExtension(options, json_message, create(JsonMessageSchema, { constants }));
  const oneofNames = Object.keys(oneofs);
  const message = create(DescriptorProtoSchema, { name, options });
  message.oneofDecl = oneofNames.map((oneof) => {
    const oneofOptions = create(OneofOptionsSchema);
    setExtension(oneofOptions, json_oneof, create(JsonOneofSchema, oneofs[oneof]!));
    return create(OneofDescriptorProtoSchema, { name: oneof, options: oneofOptions });
  });
  Object.entries(fields).forEach(([fieldName, field], index) => {
    const made = makeField(fieldName, field, index + 1);
    if (field.oneof !== undefined) made.oneofIndex = oneofNames.indexOf(field.oneof);
    if (field.mapKey !== undefined) {
      const entry = makeEntry(fieldName, field, field.mapKey);
      message.nestedType.push(entry);
      made.type = FieldDescriptorProto_Type.MESSAGE;
      made.typeName = `.made.${name}.${entry.name}`;
      made.label = FieldDescriptorProto_Label.REPEATED;
    }
    if (field.label === "optional") {
      made.proto3Optional = true;
      made.oneofIndex = message.oneofDecl.length;
      message.oneofDecl.push(create(OneofDescriptorProtoSchema, { name: `_${fieldName}` }));
    }
    message.field.push(made);
  });
  return message;
}

function makeField(name: string, { type, label, json: init = {}, asString }: MadeField, number: number) {
  const options = create(FieldOptionsSchema, asString === true ? { jstype: FieldOptions_JSType.JS_STRING } : {});
  setExtension(options, json, create(JsonFieldSchema, init));
  const field = create(FieldDescriptorProtoSchema, {
    name,
    number,
    options,
    label: label === "repeated" ? FieldDescriptorProto_Label.REPEATED : FieldDescriptorProto_Label.OPTIONAL,
  });
  return Object.assign(field, typeOf(type));
}

const ENUMS = [SHADE.name, SPEED.name];

function typeOf(type: string): { type: FieldDescriptorProto_Type; typeName?: string } {
  const scalar = FieldDescriptorProto_Type[type.toUpperCase() as keyof typeof FieldDescriptorProto_Type];
  if (scalar !== undefined) return { type: scalar };
  const typeName = type.includes(".") ? `.${type}` : `.made.${type}`;
  return { type: ENUMS.includes(type) ? FieldDescriptorProto_Type.ENUM : FieldDescriptorProto_Type.MESSAGE, typeName };
}

function makeEntry(name: string, { type }: MadeField, mapKey: string): DescriptorProto {
  const entryName = `${name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())}Entry`;
  return create(DescriptorProtoSchema, {
    name: entryName,
    field: [makeField("key", { type: mapKey }, 1), makeField("value", { type }, 2)],
    options: { mapEntry: true },
  });
}
