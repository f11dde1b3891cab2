import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Role } from "../../../src/gen/parley/chat/v1/message_pb.ts";
import { type ChatCompletionParams, ChatCompletionParamsSchema } from "../../../src/gen/parley/chat/v1/params_pb.ts";
import type { Endpoint, Provider } from "../../../src/providers/provider.ts";
import type { Backend, PlannedCall } from "../../../src/upstream/backend.ts";
import type { HttpBackendOptions } from "../../../src/upstream/backend-parts.ts";
import { createHttpBackend } from "../../../src/upstream/http-backend.ts";
import { createUpstreamClient } from "../../../src/upstream/undici-client.ts";
import { UNBOUNDED } from "../../support/routing.ts";
import { createTinyProvider, endpointAt } from "./tiny-provider.ts";

const USER_AGENT = "parley/test";

/** A backend of the tiny provider, with a client of its own. It fetches nothing, remembers nothing, and lists no models. */
export function openTinyBackend(
  url: string,
  {
    endpoint,
    abilitiesOf,
    ...parts
  }: Partial<Omit<HttpBackendOptions, "provider">> & {
    readonly endpoint?: Partial<Endpoint>;
    readonly abilitiesOf?: Provider["abilitiesOf"];
  } = {},
): Backend & { close(): Promise<void> } {
  const client = createUpstreamClient({ userAgent: USER_AGENT });
  const backend = createHttpBackend({
    provider: {
      ...createTinyProvider(endpointAt(url, endpoint)),
      ...(abilitiesOf === undefined ? {} : { abilitiesOf }),
    },
    client,
    media: { enabled: false, fetch: async () => new Map() },
    recollection: {
      of: () => ({
        restore: (_provider, params) => params,
        remember: () => undefined,
        listen: () => ({ push: () => undefined, finish: () => undefined }),
      }),
    },
    models: { models: () => [] },
    userAgent: USER_AGENT,
    concurrency: UNBOUNDED,
    ...parts,
  });
  return { ...backend, close: () => client.close() };
}

type Content = NonNullable<
  NonNullable<MessageInitShape<typeof ChatCompletionParamsSchema>["messages"]>[number]["content"]
>;

/** Parameters with one message of the user. */
export const paramsOf = (content: Content = [{ kind: { case: "text", value: "hi" } }]): ChatCompletionParams =>
  create(ChatCompletionParamsSchema, { messages: [{ role: Role.USER, content }] });

/** Plans a call of a model named "small". */
export const planOf = (backend: Backend, streaming: boolean, params = paramsOf()): PlannedCall =>
  backend.plan({ model: "small", params, streaming, tenant: "" });
