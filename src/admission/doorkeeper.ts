import type { IncomingHttpHeaders } from "node:http";
import type { DescMethod } from "@bufbuild/protobuf";
import { GatewayError } from "../errors/gateway-error.ts";
import { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { Scope } from "../gen/parley/scopes/v1/scopes_pb.ts";
import type { Caller } from "./caller.ts";
import type { Identity } from "./identity.ts";

/** Lets calls in, by their headers alone: before their bodies are read. */
export interface Doorkeeper {
  /**
   * Finds out who calls, and whether they may call one of these rpcs at all. Fails with INVALID_API_KEY or PERMISSION_DENIED.
   * `httpMethod`: of the request.
   */
  admit(
    headers: IncomingHttpHeaders,
    methods: readonly DescMethod[],
    httpMethod: string | undefined,
  ): Caller | Promise<Caller>;
  /** Finds out whether somebody may read what is told of all calls together, which the scopes `requests` and `admin` allow. */
  admitReader(headers: IncomingHttpHeaders, httpMethod: string | undefined): Promise<void>;
  /** Whether a caller may call this rpc, which was found among several. Fails with PERMISSION_DENIED. */
  check(caller: Caller, method: DescMethod): void;
}

/** What a doorkeeper goes by. */
export interface DoorkeeperOptions {
  readonly identity: Pick<Identity, "isOpen" | "authenticate">;
  /** Fails with PERMISSION_DENIED where the caller's scopes do not allow the rpc. */
  readonly authorize: (caller: Caller, method: DescMethod) => void;
  /** Fails with PERMISSION_DENIED for what a page of another origin sends while everybody may call. */
  readonly guard: (headers: IncomingHttpHeaders, httpMethod: string | undefined) => void;
}

/** Makes a doorkeeper. */
export function createDoorkeeper({ identity, authorize, guard }: DoorkeeperOptions): Doorkeeper {
  const allow = (caller: Caller, methods: readonly DescMethod[]): Caller => {
    let first: unknown;
    for (const method of methods) {
      try {
        authorize(caller, method);
        return caller;
      } catch (thrown) {
        first ??= thrown;
      }
    }
    throw first;
  };
  return {
    admit(headers, methods, httpMethod) {
      if (identity.isOpen) guard(headers, httpMethod);
      const found = identity.authenticate(headers);
      return found instanceof Promise ? found.then((caller) => allow(caller, methods)) : allow(found, methods);
    },
    async admitReader(headers, httpMethod) {
      if (identity.isOpen) guard(headers, httpMethod);
      const { scopes } = await identity.authenticate(headers);
      if (scopes.has(Scope.REQUESTS) || scopes.has(Scope.ADMIN)) return;
      throw new GatewayError(Reason.PERMISSION_DENIED, 'this needs a key with the scope "requests" or "admin"');
    },
    check: authorize,
  };
}
