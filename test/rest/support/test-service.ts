import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  create,
  createFileRegistry,
  type DescFile,
  type DescMessage,
  type DescService,
  setExtension,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, MethodOptionsSchema } from "@bufbuild/protobuf/wkt";
import { http } from "../../../src/gen/google/api/annotations_pb.ts";
import { HttpRuleSchema } from "../../../src/gen/google/api/http_pb.ts";
import { StreamOfSchema, stream_of } from "../../../src/gen/parley/options/v1/options_pb.ts";

/** An rpc of a service that is made for a test. */
export interface TestMethod {
  readonly name: string;
  readonly input: DescMessage;
  readonly output: DescMessage;
  readonly streams?: boolean;
  readonly rule?: MessageInitShape<typeof HttpRuleSchema>;
  readonly streamOf?: MessageInitShape<typeof StreamOfSchema>;
}

/** Makes the descriptor of a service `test.v1.TestService`, as a `.proto` with these rpcs and options would give. */
export function serviceOf(...methods: readonly TestMethod[]): DescService {
  const files = new Map<string, DescFile>();
  const addFile = (file: DescFile): void => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, file);
    file.dependencies.forEach(addFile);
  };
  for (const { input, output } of methods) {
    addFile(input.file);
    addFile(output.file);
  }
  const file = create(FileDescriptorProtoSchema, {
    name: "test/v1/test_service.proto",
    package: "test.v1",
    syntax: "proto3",
    dependency: [...files.keys()],
    service: [{ name: "TestService", method: methods.map(describeMethod) }],
  });
  const registry = createFileRegistry(file, (name) => files.get(name));
  return registry.getService("test.v1.TestService")!;
}

function describeMethod({ name, input, output, streams, rule, streamOf }: TestMethod) {
  const options = create(MethodOptionsSchema);
  if (rule !== undefined) setExtension(options, http, create(HttpRuleSchema, rule));
  if (streamOf !== undefined) setExtension(options, stream_of, create(StreamOfSchema, streamOf));
  return {
    name,
    inputType: `.${input.typeName}`,
    outputType: `.${output.typeName}`,
    serverStreaming: streams === true,
    options,
  };
}
