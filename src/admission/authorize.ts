import { type DescMethod, type DescService, getOption } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { scopes as scopesOption } from "../gen/parley/options/v1/options_pb.ts";
import { type Scope, ScopeSchema } from "../gen/parley/scopes/v1/scopes_pb.ts";
import { enumWords } from "../openai-json/words.ts";
import type { Caller } from "./caller.ts";

/** Packages of the API, whose rpcs all say who may call them. Health and reflection are others' and free. */
const OURS = /^parley\./;

/** Lets a caller call a method that one of its scopes is for. Fails with PERMISSION_DENIED, which names the scope that is missing. */
export function authorize(caller: Caller, method: DescMethod): void {
  const needed = scopesOf(method);
  if (needed.length === 0) return;
  for (const scope of needed) if (caller.scopes.has(scope)) return;
  const words = needed.map((scope) => `"${enumWords(ScopeSchema).wordOf.get(scope)}"`);
  throw new GatewayError(
    Reason.PERMISSION_DENIED,
    `${method.name} needs the scope ${words.join(" or ")}, which this key or token does not have`,
  );
}

/** Throws for a method of the API that does not say who may call it. To be called at the start. */
export function checkScopes(services: readonly DescService[]): void {
  for (const method of services.flatMap(({ methods }) => methods)) scopesOf(method);
}

const known = new WeakMap<DescMethod, readonly Scope[]>();

function scopesOf(method: DescMethod): readonly Scope[] {
  let needed = known.get(method);
  if (needed === undefined) {
    needed = OURS.test(method.parent.typeName) ? getOption(method, scopesOption) : [];
    if (needed.length === 0 && OURS.test(method.parent.typeName)) {
      throw new TypeError(`${method.parent.typeName}.${method.name} has no option (parley.options.v1.scopes)`);
    }
    known.set(method, needed);
  }
  return needed;
}
