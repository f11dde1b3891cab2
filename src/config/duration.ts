import type { Duration } from "@bufbuild/protobuf/wkt";

/** A duration in whole milliseconds, rounded up so that what is above zero stays so; where there is none, the other value. */
export function orMs<T>(duration: Duration | undefined, otherwise: T): number | T {
  return duration === undefined ? otherwise : Number(duration.seconds) * 1000 + Math.ceil(duration.nanos / 1e6);
}

/** Milliseconds as the file has them: "1.5s". */
export function formatMs(milliseconds: number): string {
  return `${milliseconds / 1000}s`;
}
