/**
 * Admission: whether a call may go on. Every door comes through here, so a request is judged by the same rules on all of them.
 *
 * This file runs the rules that stand in the contract (buf.validate).
 */
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { type Path, pathToString } from "@bufbuild/protobuf/reflect";
import type { Violation as RuleViolation } from "@bufbuild/protovalidate";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { violationsOf } from "../rules/violations.ts";
import { jsonPath } from "./json-path.ts";

/** Most violations that are described. */
const LISTED = 20;

/**
 * Checks a request against the rules of the contract. Rejects with MISSING_PARAMETER or INVALID_VALUE, naming the field. Undefined, and
 * at once, where it is plain that the request keeps them.
 */
export function validate(schema: DescMessage, request: Message): Promise<void> | undefined {
  const judged = violationsOf(schema, request);
  return judged && refuseAny(judged, request);
}

async function refuseAny(judged: Promise<readonly RuleViolation[]>, request: Message): Promise<void> {
  const violations = await judged;
  if (violations.length > 0) throw invalid(violations.slice(0, LISTED), request);
}

function invalid(found: readonly RuleViolation[], request: Message): GatewayError {
  const violations = found.map((violation) => describe(violation, request));
  const first = violations[0] as Described;
  return new GatewayError(first.missing ? Reason.MISSING_PARAMETER : Reason.INVALID_VALUE, first.message, {
    param: first.param === "params" ? undefined : first.param,
    violations: violations.map(({ path, rule, message }) => ({ path, rule, description: message })),
  });
}

interface Described {
  /** In the contract's terms. */
  readonly path: string;
  /** In OpenAI's. */
  readonly param: string;
  readonly rule: string;
  /** With the JSON path of the field. */
  readonly message: string;
  readonly missing: boolean;
}

/** Rules that a value breaks by not being there. */
const PRESENCE = new Set(["required", "enum.not_in"]);

function describe(violation: RuleViolation, request: Message): Described {
  const { ruleId: rule, field, message: text } = violation;
  const between = fieldOfRuleBetween(violation);
  const place = between === undefined ? field : [...field, between];
  const param = jsonPath(place);
  const found = { path: pathToString(place), param, rule, missing: false };
  if (between !== undefined) return { ...found, message: text };
  const value = shortValue(field, request);
  if (PRESENCE.has(rule) && !value) return { ...found, missing: true, message: `${param} is required` };
  const phrase = text.replace(/^value (?=must )/, "");
  if (!/^(must|does) /.test(phrase)) return { ...found, message: `${param}: ${text}` };
  return { ...found, message: `${param} ${value === undefined ? "" : `is ${value} but `}${phrase}` };
}

/** The field that is to be changed, where a rule is one between the fields of a message: the rule's id begins with it. */
function fieldOfRuleBetween({ field, ruleId }: RuleViolation): DescField | undefined {
  const last = field.at(-1);
  if (last?.kind !== "field" || last.fieldKind !== "message") return undefined;
  const head = ruleId.slice(0, ruleId.indexOf("."));
  return last.message.fields.find(({ name }) => name === head);
}

/** The value at a path when it is a number or a bool: short, and never a text that somebody wrote. */
function shortValue(path: Path, request: Message): number | bigint | boolean | undefined {
  let at: unknown = request;
  for (const step of path) {
    if (typeof at !== "object" || at === null) return undefined;
    switch (step.kind) {
      case "field":
        at = step.oneof === undefined ? Reflect.get(at, step.localName) : undefined;
        break;
      case "list_sub":
        at = Reflect.get(at, step.index);
        break;
      case "map_sub":
        at = Reflect.get(at, String(step.key));
        break;
      default:
        return undefined;
    }
  }
  return typeof at === "number" || typeof at === "bigint" || typeof at === "boolean" ? at : undefined;
}
