import { type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { http } from "../gen/google/api/annotations_pb.ts";
import type { HttpRule } from "../gen/google/api/http_pb.ts";
import { type PathTemplate, parsePathTemplate } from "./path-parser.ts";

/** One HTTP route of an rpc, as its rule says it. */
export interface HttpBinding {
  readonly method: DescMethod;
  /** In upper case; "*" for any. */
  readonly httpMethod: string;
  readonly path: PathTemplate;
  /** Name of the field that the HTTP body carries; "*": the whole request; empty: none. */
  readonly body: string;
  /** Name of the field that the answer's HTTP body carries; empty: the whole response. */
  readonly responseBody: string;
}

/**
 * Reads the rules of google.api.http off the rpcs of services, additional bindings too; rpcs without a rule have no
 * route. Throws an Error on a rule that cannot be.
 */
export function readHttpBindings(services: readonly DescService[]): HttpBinding[] {
  return services
    .flatMap((service) => service.methods)
    .filter((method) => hasOption(method, http))
    .flatMap((method) => {
      const rule = getOption(method, http);
      return [rule, ...rule.additionalBindings.map((additional) => refuseNesting(method, additional))].map((one) =>
        readRule(method, one),
      );
    });
}

function readRule(method: DescMethod, rule: HttpRule): HttpBinding {
  const [httpMethod, path] = readPattern(method, rule);
  return { method, httpMethod, path: parsePathTemplate(path), body: rule.body, responseBody: rule.responseBody };
}

function readPattern(method: DescMethod, { pattern }: HttpRule): [httpMethod: string, path: string] {
  switch (pattern.case) {
    case "custom":
      return [pattern.value.kind, pattern.value.path];
    case undefined:
      throw new Error(`${method.parent.typeName}.${method.name}: an HTTP rule without a pattern`);
    default:
      return [pattern.case.toUpperCase(), pattern.value];
  }
}

function refuseNesting(method: DescMethod, rule: HttpRule): HttpRule {
  if (rule.additionalBindings.length === 0) return rule;
  throw new Error(`${method.parent.typeName}.${method.name}: additional bindings of an HTTP rule do not nest`);
}
