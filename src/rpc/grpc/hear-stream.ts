import type { ServerHttp2Stream } from "node:http2";

/** Hears all that a stream has to tell, from its beginning to its close. */
export interface StreamHearer {
  /** The next piece of the request came. */
  pieceCame(piece: Buffer<ArrayBuffer>): void;
  /** The request has ended; a reset ends it, too. */
  requestEnded(): void;
  /** There is room again for more of the answer. */
  roomCame(): void;
  /** The messages of the answer are out, and the trailers are due. */
  trailersWanted(): void;
  /** The stream is over. It is the last that is heard. */
  closed(): void;
}

/** The property of a stream that has its hearer. */
const HEARER = Symbol("hearer");

interface HeardStream extends ServerHttp2Stream {
  [HEARER]?: StreamHearer | undefined;
}

/**
 * Has a stream heard, but for its request. The listeners are the same ones for all streams, and find the hearer by the stream, which
 * leads to it until it is closed: Node keeps the streams of a session in a Map, whose old tables keep what was in them until the
 * collector looks at what is old. With what listens, that would be the whole state of each call.
 */
export function hearStream(stream: ServerHttp2Stream, hearer: StreamHearer): void {
  (stream as HeardStream)[HEARER] = hearer;
  stream.on("error", ignore);
  stream.on("wantTrailers", tellTrailersWanted);
  stream.on("close", tellClosed);
}

/** Has the request read. */
export function hearRequest(stream: ServerHttp2Stream): void {
  stream.on("data", tellPiece);
  stream.on("end", tellEnd);
}

/** Has it told, once, when there is room again. */
export function hearRoom(stream: ServerHttp2Stream): void {
  stream.once("drain", tellRoom);
}

/** A reset is told by `close`, too; without a listener, the error would end the process. */
const ignore = (): void => undefined;

function tellPiece(this: HeardStream, piece: Buffer<ArrayBuffer>): void {
  this[HEARER]?.pieceCame(piece);
}

function tellEnd(this: HeardStream): void {
  this[HEARER]?.requestEnded();
}

function tellRoom(this: HeardStream): void {
  this[HEARER]?.roomCame();
}

function tellTrailersWanted(this: HeardStream): void {
  this[HEARER]?.trailersWanted();
}

function tellClosed(this: HeardStream): void {
  const hearer = this[HEARER];
  this[HEARER] = undefined;
  hearer?.closed();
}
