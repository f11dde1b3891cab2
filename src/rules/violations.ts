/**
 * The rules that stand in the contract (buf.validate), and what breaks them. protovalidate judges and words it; but it takes its time,
 * and longer to load. So a message is first looked over by a plan of its own rules, which knows one answer only: that the message is
 * plainly valid. Whatever it does not know for certain goes to protovalidate.
 */
import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Validator, Violation } from "@bufbuild/protovalidate";
import { isPlainlyValid } from "./plain-message.ts";

/** What breaks the rules of the contract in a message. Undefined, and at once, where it is plain that nothing does. */
export function violationsOf(schema: DescMessage, message: Message): Promise<readonly Violation[]> | undefined {
  return isPlainlyValid(schema, message) ? undefined : judge(schema, message);
}

let validator: Promise<Validator> | undefined;

async function judge(schema: DescMessage, message: Message): Promise<readonly Violation[]> {
  validator ??= createValidator();
  const result = (await validator).validate(schema, message);
  switch (result.kind) {
    case "valid":
      return [];
    case "invalid":
      return result.violations;
    case "error":
      throw result.error;
  }
}

/** It brings an interpreter of expressions along, and takes as long to load as a third of the program. */
async function createValidator(): Promise<Validator> {
  return (await import("@bufbuild/protovalidate")).createValidator();
}
