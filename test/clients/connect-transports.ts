import type { Interceptor, Transport } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";

/** What a test says of a transport. */
export interface TransportSettings {
  readonly interceptors?: Interceptor[];
  /** How messages of the client are packed, from a kilobyte on. */
  readonly sendCompression?: Compression;
}

/** A transport that can be closed. */
export interface OpenTransport {
  readonly transport: Transport;
  close(): void;
}

type Open = (url: string, settings?: TransportSettings) => OpenTransport;

/** On HTTP/2, a session of its own, which would stay open otherwise. */
function onHttp2(create: (url: string, sessionManager: Http2SessionManager, settings: TransportSettings) => Transport) {
  return (url: string, settings: TransportSettings = {}): OpenTransport => {
    const sessionManager = new Http2SessionManager(url);
    return { transport: create(url, sessionManager, settings), close: () => sessionManager.abort() };
  };
}

const onHttp1 =
  (create: (url: string, settings: TransportSettings) => Transport) =>
  (url: string, settings: TransportSettings = {}): OpenTransport => ({
    transport: create(url, settings),
    close: () => undefined,
  });

/** Every transport that a Connect client can have on Node, by protocol, encoding and version of HTTP. */
export const TRANSPORTS = {
  "Connect, JSON, HTTP/1.1": onHttp1((baseUrl, settings) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false, ...settings }),
  ),
  "Connect, JSON, HTTP/2": onHttp2((baseUrl, sessionManager, settings) =>
    createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: false, sessionManager, ...settings }),
  ),
  "Connect, binary, HTTP/1.1": onHttp1((baseUrl, settings) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: true, ...settings }),
  ),
  "Connect, binary, HTTP/2": onHttp2((baseUrl, sessionManager, settings) =>
    createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: true, sessionManager, ...settings }),
  ),
  "gRPC-Web, binary, HTTP/1.1": onHttp1((baseUrl, settings) =>
    createGrpcWebTransport({ baseUrl, httpVersion: "1.1", ...settings }),
  ),
  "gRPC-Web, JSON, HTTP/2": onHttp2((baseUrl, sessionManager, settings) =>
    createGrpcWebTransport({ baseUrl, httpVersion: "2", useBinaryFormat: false, sessionManager, ...settings }),
  ),
  "gRPC, binary": onHttp2((baseUrl, sessionManager, settings) =>
    createGrpcTransport({ baseUrl, sessionManager, ...settings }),
  ),
  "gRPC, JSON": onHttp2((baseUrl, sessionManager, settings) =>
    createGrpcTransport({ baseUrl, useBinaryFormat: false, sessionManager, ...settings }),
  ),
} as const satisfies Readonly<Record<string, Open>>;

/** Names of the transports. */
export const TRANSPORT_NAMES = Object.keys(TRANSPORTS) as (keyof typeof TRANSPORTS)[];
