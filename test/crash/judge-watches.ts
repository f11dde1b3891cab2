import { foldChunks, gistOf } from "./fold-json.ts";
import type { Json, Ledger, RunJson, Watch } from "./ledger.ts";

/** Of each watcher: it saw every event of its run once, in order, as all other watchers did; and what it saw comes to the run's response. */
export function judgeWatches({ watches }: Ledger): readonly string[] {
  const said = new Map<string, Map<number, { readonly json: string; readonly by: string }>>();
  return watches.flatMap((watch) => {
    const known = said.get(watch.uid) ?? new Map<number, { readonly json: string; readonly by: string }>();
    said.set(watch.uid, known);
    const faults = [judgeSequence(watch), judgeEnd(watch)];
    for (const { sequence, json } of watch.events) {
      const before = known.get(sequence);
      if (before === undefined) known.set(sequence, { json, by: watch.by });
      else if (before.json !== json)
        faults.push(`event ${sequence} is ${json}, and was ${before.json} for ${before.by}`);
    }
    return faults.filter((fault) => fault !== undefined).map((fault) => `${watch.by} of run ${watch.uid}: ${fault}`);
  });
}

function judgeSequence({ events }: Watch): string | undefined {
  const at = events.findIndex(({ sequence }, index) => sequence !== index + 1);
  if (at >= 0) return `event ${events[at]?.sequence} follows ${events[at - 1]?.sequence ?? "nothing"}`;
  const early = events.slice(0, -1).find(({ kind }) => kind === "run");
  return early && `event ${early.sequence} is the end, and more follow`;
}

function judgeEnd({ events, isEnded }: Watch): string | undefined {
  const last = events.at(-1);
  if (!isEnded) return "it did not come to the end";
  if (last?.kind !== "run") return `its last event is ${JSON.stringify(last)}`;
  const run = JSON.parse(last.json) as RunJson;
  const count = Number(run.last_sequence ?? 0);
  if (count !== last.sequence) return `its last event has number ${last.sequence}, and the run ${count}`;
  if (!run.response) return undefined;
  const begin = events.findLastIndex(({ kind }) => kind === "restart") + 1;
  const chunks = events.slice(begin, -1).map(({ json }) => JSON.parse(json) as Json);
  try {
    const given = JSON.stringify(foldChunks(chunks));
    const wanted = JSON.stringify(gistOf(run.response));
    return given === wanted ? undefined : `its chunks come to ${given}, and the response is ${wanted}`;
  } catch (error) {
    return (error as Error).message;
  }
}
