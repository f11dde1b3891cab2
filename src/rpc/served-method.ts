import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  Message,
  MessageShape,
} from "@bufbuild/protobuf";
import type { CallContext } from "../gateway/operation.ts";

/** An rpc and the operation that it is: a row of the one table that all protocols serve. */
export type ServedMethod = ServedUnary | ServedStream;

/** An rpc that is answered in one piece. */
export interface ServedUnary {
  readonly method: DescMethodUnary;
  readonly operation: (request: Message, call: CallContext) => Promise<Message>;
}

/** An rpc that is answered piece by piece. */
export interface ServedStream {
  readonly method: DescMethodServerStreaming;
  readonly operation: (request: Message, call: CallContext) => AsyncIterable<readonly Message[]>;
  /** Made once for a request: what changes the messages on their way out. */
  readonly edit: (request: Message) => ((message: Message) => Message) | undefined;
}

/** A row for a unary operation. */
export function unary<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  operation: (request: MessageShape<I>, call: CallContext) => Promise<MessageShape<O>>,
): ServedMethod {
  return { method, operation: operation as unknown as ServedUnary["operation"] };
}

/** A row for a streaming operation. `edit`, made once for a request, may change its messages on their way out. */
export function streaming<I extends DescMessage, O extends DescMessage>(
  method: DescMethodServerStreaming<I, O>,
  operation: (request: MessageShape<I>, call: CallContext) => AsyncIterable<readonly MessageShape<O>[]>,
  edit: (request: MessageShape<I>) => ((message: MessageShape<O>) => MessageShape<O>) | undefined = () => undefined,
): ServedMethod {
  return {
    method,
    operation: operation as unknown as ServedStream["operation"],
    edit: edit as unknown as ServedStream["edit"],
  };
}

/** Whether an rpc is answered piece by piece. */
export const isStream = (served: ServedMethod): served is ServedStream =>
  served.method.methodKind === "server_streaming";
