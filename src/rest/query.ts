import type { Message } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { type BoundField, bindField } from "./bound-field.ts";
import { type FieldPath, setAtPath } from "./field-path.ts";
import type { RouteTarget } from "./route-target.ts";
import { readText } from "./text-format.ts";

/**
 * Fills the fields of a request that query parameters name: "limit=10", "options.strict=true"; one that is a list may
 * come several times. Throws a GatewayError that names the parameter when no such field can be filled, when path or
 * body fill it, and when its text is wrong.
 */
export function fillFromQuery(target: RouteTarget, request: Message, query: string): void {
  const filled = new Set<string>();
  for (const [name, text] of new URLSearchParams(query)) {
    const bound = bindParameter(target, name);
    const key = keyOf(bound.path);
    if (bound.path.at(-1)!.fieldKind !== "list" && filled.has(key)) {
      throw new GatewayError(Reason.INVALID_VALUE, `query parameter ${name} must not come twice`, { param: name });
    }
    filled.add(key);
    setAtPath(target.method.input, request, bound.path, readText(bound.format, text, `query parameter ${name}`, name));
  }
}

function bindParameter(target: RouteTarget, name: string): BoundField {
  const bound = bindField(target.method.input, name);
  if (bound !== undefined && !isFilledOtherwise(target, bound.path)) return bound;
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  throw new GatewayError(Reason.UNSUPPORTED_PARAMETER, `there is no query parameter "${shown}" here`, { param: shown });
}

function isFilledOtherwise({ body, variables }: RouteTarget, path: FieldPath): boolean {
  return body === "*" || body === path[0] || variables.some((variable) => keyOf(variable.path) === keyOf(path));
}

function keyOf(path: FieldPath): string {
  return path.map(({ name }) => name).join(".");
}
