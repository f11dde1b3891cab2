import { getOption } from "@bufbuild/protobuf";
import { type Path, pathToString } from "@bufbuild/protobuf/reflect";
import { json_oneof } from "../gen/parley/options/v1/options_pb.ts";

/**
 * The JSON path in OpenAI's shape of a field in a request: "params.messages[0].role" is "messages[0].role" there. A union is where
 * its discriminator is, "tools[0].type"; where it has none, the object that it is in.
 */
export function jsonPath(path: Path): string {
  const last = path.at(-1);
  if (last?.kind !== "oneof") return withoutParams(pathToString(path));
  const parent = withoutParams(pathToString(path.slice(0, -1)));
  const { discriminator } = getOption(last, json_oneof);
  return discriminator === "" ? parent : `${parent}.${discriminator}`;
}

function withoutParams(path: string): string {
  return path.startsWith("params.") ? path.slice("params.".length) : path;
}
