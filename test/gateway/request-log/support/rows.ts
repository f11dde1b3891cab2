import { rowOf } from "../../../../src/gateway/request-log/row-of.ts";
import type { RequestTable } from "../../../../src/store/schema.ts";
import type { LateStore, Store } from "../../../../src/store/store.ts";
import { CallLog } from "../../../../src/telemetry/call-log.ts";

/** The row of a call that was answered, but for what is said otherwise. */
export function rowWith(fields: Partial<RequestTable> = {}): RequestTable {
  const log = new CallLog("req_1", "rest");
  log.named("CreateChatCompletion");
  log.identified("key_1");
  log.routed("auto", "sandbox/eliza", []);
  return { ...rowOf(log, { status: 200, durationMs: 12, userAgent: "curl/8" }), ...fields };
}

/** A store that is open, as parts take it that would open it. */
export const lateOf = (store: Store): LateStore => ({
  exists: true,
  opened: store,
  isAway: false,
  open: async () => store,
  close: () => store.close(),
});

/** All rows of the log of requests, in the order of their ids. */
export const allRows = ({ db }: Store): Promise<RequestTable[]> =>
  db.selectFrom("requests").selectAll().orderBy("id").execute();

/** Texts that break what is built by gluing texts together, or is not well-formed. */
export const HOSTILE = [
  `'); drop table requests; --`,
  `" or 1=1 --`,
  `$1 ? %s \${x} {{y}}`,
  `a\r\nset-cookie: a=b\r\n\r\n<script>`,
  `\u202e\u0001\u007f\\`,
  "💥 日本 ß",
];
