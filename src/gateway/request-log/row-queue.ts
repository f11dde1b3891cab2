import type { RequestTable } from "../../store/schema.ts";

/** Bounds of what waits to be written. */
export interface QueueBounds {
  readonly maxRows: number;
  /** Of the contents of all rows, in characters. */
  readonly maxContent: number;
}

/** Rows that wait to be written, the oldest first. Beyond its bounds, the oldest are dropped. */
export class RowQueue {
  readonly #bounds: QueueBounds;
  #rows: RequestTable[] = [];
  #content = 0;
  #added = 0;
  #dropped = 0;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  /** How many wait. */
  get size(): number {
    return this.#rows.length;
  }

  /** How many characters of contents wait. */
  get content(): number {
    return this.#content;
  }

  /** How many were ever added. */
  get added(): number {
    return this.#added;
  }

  /** How many were ever dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds a row. */
  add(row: RequestTable): void {
    this.#added += 1;
    this.#rows.push(row);
    this.#content += contentOf(row);
    this.#bound();
  }

  /** Takes so many of the oldest rows. They are to be put back where they can't be written. */
  take(count: number): RequestTable[] {
    const taken = this.#rows.splice(0, count);
    for (const row of taken) this.#content -= contentOf(row);
    return taken;
  }

  /** Puts rows back that were taken: they are the oldest again. */
  putBack(rows: readonly RequestTable[]): void {
    this.#rows = [...rows, ...this.#rows];
    for (const row of rows) this.#content += contentOf(row);
    this.#bound();
  }

  /** Counts rows as dropped that were taken, or never got here. */
  drop(count: number): void {
    this.#dropped += count;
  }

  #bound(): void {
    const { maxRows, maxContent } = this.#bounds;
    let excess = 0;
    while (this.#rows.length - excess > maxRows || this.#content > maxContent) {
      this.#content -= contentOf(this.#rows[excess] as RequestTable);
      excess += 1;
    }
    if (excess === 0) return;
    this.#rows.splice(0, excess);
    this.#dropped += excess;
  }
}

const contentOf = ({ params, completion }: RequestTable): number => (params?.length ?? 0) + (completion?.length ?? 0);
