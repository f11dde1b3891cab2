import { ConfigError, type ConfigProblem } from "../config/config-error.ts";
import { type ErrorDetails, GatewayError } from "../errors/gateway-error.ts";
import type { Reason } from "../gen/parley/errors/v1/errors_pb.ts";
import { StoreError } from "../store/store-error.ts";

/** An error on its way to another process, where it has to be of the same kind again. */
export type Fault =
  | { readonly kind: "gateway"; readonly reason: Reason; readonly message: string; readonly details: Details }
  | { readonly kind: "config"; readonly problems: readonly ConfigProblem[]; readonly file: string | undefined }
  | { readonly kind: "store"; readonly message: string; readonly cause: Fault | undefined }
  | { readonly kind: "other"; readonly name: string; readonly message: string; readonly stack: string; code: unknown };

type Details = Omit<ErrorDetails, "cause"> & { readonly cause: Fault | undefined };

/** Writes an error down. */
export function encodeFault(error: unknown): Fault {
  if (error instanceof GatewayError) {
    const { reason, message, details } = error;
    return { kind: "gateway", reason, message, details: { ...details, cause: causeOf(error) } };
  }
  if (error instanceof ConfigError) return { kind: "config", problems: error.problems, file: error.file };
  if (error instanceof StoreError) return { kind: "store", message: error.message, cause: causeOf(error) };
  if (!(error instanceof Error))
    return { kind: "other", name: "Error", message: String(error), stack: "", code: undefined };
  const { name, message, stack = "" } = error;
  return { kind: "other", name, message, stack, code: "code" in error ? error.code : undefined };
}

const causeOf = ({ cause }: Error): Fault | undefined => (cause === undefined ? undefined : encodeFault(cause));

/** Makes an error of what was written down. */
export function decodeFault(fault: Fault): Error {
  switch (fault.kind) {
    case "gateway": {
      const { cause, ...details } = fault.details;
      return new GatewayError(
        fault.reason,
        fault.message,
        cause === undefined ? details : { ...details, cause: decodeFault(cause) },
      );
    }
    case "config":
      return new ConfigError(fault.problems, fault.file);
    case "store":
      return new StoreError(fault.message, fault.cause === undefined ? undefined : { cause: decodeFault(fault.cause) });
    case "other": {
      const error = new Error(fault.message);
      error.name = fault.name;
      if (fault.stack !== "") error.stack = fault.stack;
      return Object.assign(error, fault.code === undefined ? {} : { code: fault.code });
    }
    default:
      return fault satisfies never;
  }
}
