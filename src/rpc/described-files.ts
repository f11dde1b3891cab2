import {
  createRegistry,
  type DescExtension,
  type DescFile,
  type DescService,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** The files that describe some services, with all that they import, as reflection looks them up. */
export class DescribedFiles {
  readonly #byName = new Map<string, DescFile>();
  readonly #registry: Registry;
  /** By full name; a value's scope is that of its enum: "parley.chat.v1.ROLE_USER". */
  readonly #enumValues = new Map<string, DescFile>();
  readonly #encoded = new Map<DescFile, Uint8Array>();

  constructor(services: readonly DescService[]) {
    for (const { file } of services) this.#add(file);
    this.#registry = createRegistry(...this.#byName.values());
    for (const type of this.#registry) {
      if (type.kind !== "enum") continue;
      const scope = type.typeName.slice(0, -type.name.length);
      for (const { name } of type.values) this.#enumValues.set(scope + name, type.file);
    }
  }

  #add(file: DescFile): void {
    if (this.#byName.has(fileName(file))) return;
    this.#byName.set(fileName(file), file);
    for (const dependency of file.dependencies) this.#add(dependency);
  }

  /** The file of that name, such as "parley/chat/v1/message.proto". */
  byName(name: string): DescFile | undefined {
    return this.#byName.get(name);
  }

  /** The file that declares a message, enum, service, extension, method, field or enum value, by its full name. */
  bySymbol(symbol: string): DescFile | undefined {
    const found = this.#registry.get(symbol);
    if (found !== undefined) return found.file;
    const value = this.#enumValues.get(symbol);
    if (value !== undefined) return value;
    const dot = symbol.lastIndexOf(".");
    const parent = this.#registry.get(symbol.slice(0, dot));
    const name = symbol.slice(dot + 1);
    switch (parent?.kind) {
      case "service":
        return parent.methods.some((method) => method.name === name) ? parent.file : undefined;
      case "message":
        return parent.members.some((member) => member.name === name) ? parent.file : undefined;
      default:
        return undefined;
    }
  }

  /** All extensions of a message type; undefined for a type that is not known. */
  extensionsOf(typeName: string): DescExtension[] | undefined {
    if (this.#registry.getMessage(typeName) === undefined) return undefined;
    return [...this.#registry].filter(
      (type): type is DescExtension => type.kind === "extension" && type.extendee.typeName === typeName,
    );
  }

  /** A file and all that it imports, the file first, as FileDescriptorProto bytes; without those in `sent`, to which they go. */
  encode(file: DescFile, sent: Set<DescFile>): Uint8Array[] {
    if (sent.has(file)) return [];
    sent.add(file);
    let bytes = this.#encoded.get(file);
    if (bytes === undefined) {
      bytes = toBinary(FileDescriptorProtoSchema, file.proto);
      this.#encoded.set(file, bytes);
    }
    return [bytes, ...file.dependencies.flatMap((dependency) => this.encode(dependency, sent))];
  }
}

/** A descriptor has its file's name without the ending. */
const fileName = (file: DescFile): string => file.proto.name;
