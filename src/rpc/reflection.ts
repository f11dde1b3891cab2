import type { DescFile, DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { ServerReflection, type ServerReflectionRequest } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  type ServerReflectionRequest as RequestV1Alpha,
  ServerReflection as ServerReflectionV1Alpha,
} from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { DescribedFiles } from "./described-files.ts";

type Question = (ServerReflectionRequest | RequestV1Alpha)["messageRequest"];

/** An answer of either version: they have the same fields. */
type Answer =
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

/** Serves grpc.reflection v1 and v1alpha for these services and for itself. The two versions are the same but for their names. */
export function addReflection(router: ConnectRouter, services: readonly DescService[]): void {
  const served = [...services, ServerReflection, ServerReflectionV1Alpha];
  const files = new DescribedFiles(served);

  const describe = (file: DescFile | undefined, asked: string, sent: Set<DescFile>): Answer => {
    if (file === undefined) throw notFound(asked);
    sent.delete(file); // What is asked for is always answered; only what it imports is sent once.
    return { case: "fileDescriptorResponse", value: { fileDescriptorProto: files.encode(file, sent) } };
  };

  const answer = (question: Question, sent: Set<DescFile>): Answer => {
    switch (question.case) {
      case "listServices":
        return { case: "listServicesResponse", value: { service: served.map(({ typeName }) => ({ name: typeName })) } };
      case "fileByFilename":
        return describe(files.byName(question.value), question.value, sent);
      case "fileContainingSymbol":
        return describe(files.bySymbol(question.value), question.value, sent);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = question.value;
        const found = files.extensionsOf(containingType)?.find(({ number }) => number === extensionNumber);
        return describe(found?.file, `extension ${extensionNumber} of ${containingType}`, sent);
      }
      case "allExtensionNumbersOfType": {
        const extensionNumber = files.extensionsOf(question.value)?.map(({ number }) => number);
        if (extensionNumber === undefined) throw notFound(question.value);
        return { case: "allExtensionNumbersResponse", value: { baseTypeName: question.value, extensionNumber } };
      }
      case undefined:
        throw new ConnectError("the request asks nothing", Code.InvalidArgument);
    }
  };

  async function* serverReflectionInfo<R extends ServerReflectionRequest | RequestV1Alpha>(requests: AsyncIterable<R>) {
    const sent = new Set<DescFile>();
    for await (const request of requests) {
      let messageResponse: Answer;
      try {
        messageResponse = answer(request.messageRequest, sent);
      } catch (thrown) {
        const { code, rawMessage } = ConnectError.from(thrown);
        messageResponse = { case: "errorResponse", value: { errorCode: code, errorMessage: rawMessage } };
      }
      yield { validHost: request.host, originalRequest: request, messageResponse };
    }
  }
  router.service(ServerReflection, { serverReflectionInfo });
  router.service(ServerReflectionV1Alpha, { serverReflectionInfo });
}

const notFound = (asked: string): ConnectError => new ConnectError(`not found: ${asked}`, Code.NotFound);
