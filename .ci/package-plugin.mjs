// What the plugins of `buf generate` in this folder have in common: each writes one file for all messages of a package.
// Option: package=NAME
import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponseSchema,
  Edition,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/** A message and all within it, but for entries of maps. */
const withNested = (message) => [message, ...message.nestedMessages.flatMap(withNested)];

/** Name of the generated type: "Outer_Inner". */
export const typeOf = (message) =>
  message.parent === undefined ? message.name : `${typeOf(message.parent)}_${message.name}`;

/** The same in names of functions: "OuterInner". */
export const plainNameOf = (message) => typeOf(message).replaceAll("_", "");

/** The statements that import the types of messages. */
export function importsOf(messages) {
  const groups = Map.groupBy(messages, ({ file }) => `./${file.name.split("/").at(-1)}_pb.ts`);
  return [...groups].map(([path, of]) => {
    const names = of.map((it) => `  ${typeOf(it)},\n`).sort();
    return `import type {\n${names.join("")}} from "${path}";\n`;
  });
}

/** Reads the request of buf, and answers it with that file; `write` is given the package's messages, and returns the content. */
export async function answerBuf(fileName, write) {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const request = fromBinary(CodeGeneratorRequestSchema, Buffer.concat(chunks));
  const wanted = /(?:^|,)package=([\w.]+)/.exec(request.parameter)?.[1];
  if (wanted === undefined) throw new Error("the option package=NAME is missing");
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
  const files = request.fileToGenerate
    .map((name) => registry.getFile(name))
    .filter((file) => file.proto.package === wanted);
  const messages = files.flatMap((file) => file.messages.flatMap(withNested));
  const name = `${wanted.replaceAll(".", "/")}/${fileName}`;
  const response = create(CodeGeneratorResponseSchema, {
    supportedFeatures: BigInt(
      CodeGeneratorResponse_Feature.PROTO3_OPTIONAL | CodeGeneratorResponse_Feature.SUPPORTS_EDITIONS,
    ),
    minimumEdition: Edition.EDITION_PROTO2,
    maximumEdition: Edition.EDITION_2023,
    file: files.length === 0 ? [] : [{ name, content: write(messages) }],
  });
  process.stdout.write(toBinary(CodeGeneratorResponseSchema, response));
}
