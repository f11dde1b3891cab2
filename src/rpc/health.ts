import { EventEmitter, on } from "node:events";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../gen/grpc/health/v1/health_pb.ts";

/** Whether the server takes calls, as grpc.health.v1 tells it. */
export interface HealthStatus {
  /** Whether it is ready. */
  readonly ready: boolean;
  /** It is not ready any more; those who watch are told. */
  shutDown(): void;
  /** Ends the streams of those who watch, which would go on for ever. */
  endWatches(): void;
  /** Serves grpc.health.v1.Health. */
  addTo(router: ConnectRouter): void;
}

const CHANGE = "change";

/** Health of a server with these services. The empty name stands for the server as a whole. */
export function createHealthStatus(services: readonly string[]): HealthStatus {
  const names = new Set(["", ...services]);
  const changes = new EventEmitter().setMaxListeners(0);
  let status = ServingStatus.SERVING;
  let hasEnded = false;
  return {
    get ready() {
      return status === ServingStatus.SERVING;
    },
    shutDown() {
      status = ServingStatus.NOT_SERVING;
      changes.emit(CHANGE);
    },
    endWatches() {
      hasEnded = true;
      changes.emit(CHANGE);
    },
    addTo(router) {
      router.service(Health, {
        check({ service }) {
          if (!names.has(service)) throw new ConnectError(`unknown service ${service}`, Code.NotFound);
          return { status };
        },
        list: () => ({ statuses: Object.fromEntries([...names].map((name) => [name, { status }])) }),
        async *watch({ service }, { signal }) {
          const changed = on(changes, CHANGE, { signal }); // Before the first read, so that no change is missed.
          const current = (): ServingStatus => (names.has(service) ? status : ServingStatus.SERVICE_UNKNOWN);
          let told = current();
          yield { status: told };
          try {
            while (!hasEnded) {
              await changed.next();
              if (told === current()) continue;
              told = current();
              yield { status: told };
            }
          } catch (thrown) {
            throw signal.aborted ? signal.reason : thrown; // Which is the deadline's, and says so.
          } finally {
            await changed.return?.();
          }
        },
      });
    },
  };
}
