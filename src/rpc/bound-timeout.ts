/** The largest timeouts, as each protocol writes them, that Node's timers take: about 25 days. */
const LARGEST = { "grpc-timeout": "2147483S", "connect-timeout-ms": "2147483647" } as const;

/** Milliseconds of the units that can pass it (gRPC over HTTP/2, "Timeout"). */
const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000 };

/**
 * Lowers a timeout above 25 days. Connect refuses it as too long, like all above the limit; but it starts the timer first, and
 * Node would print a warning past the logger for each such call.
 */
export function boundTimeout(headers: Headers): void {
  const grpc = /^(\d{1,8})([HMS])$/.exec(headers.get("grpc-timeout") ?? "");
  if (grpc !== null) lower(headers, "grpc-timeout", Number(grpc[1]) * (UNITS[grpc[2] as string] ?? 0));
  const connect = headers.get("connect-timeout-ms");
  if (connect !== null) lower(headers, "connect-timeout-ms", Number(connect));
}

function lower(headers: Headers, name: keyof typeof LARGEST, ms: number): void {
  if (ms >= 2 ** 31) headers.set(name, LARGEST[name]);
}
