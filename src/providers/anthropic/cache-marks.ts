import type { PromptCacheBreakpoint } from "../../gen/parley/chat/v1/message_pb.ts";
import type { ChatCompletionParams } from "../../gen/parley/chat/v1/params_pb.ts";
import { PromptCacheOptions_Mode } from "../../gen/parley/chat/v1/params_pb.ts";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { dropped, mapped } from "../adjustment.ts";
import { parseDuration } from "../retry-delay.ts";
import type { CacheControl } from "./wire.ts";

/** Most marks of a request. */
const MAX_MARKS = 4;
const FIVE_MINUTES_MS = 300_000;

interface Mark {
  readonly path: string;
  readonly ttl: string | undefined;
  block: { cache_control?: CacheControl };
}

/** Collects the marks of a request while its blocks are made, in the order in which Anthropic reads the blocks. */
export class CacheMarks {
  readonly #defaultTtl: string | undefined;
  #marks: Mark[] = [];

  constructor({ promptCacheOptions }: ChatCompletionParams) {
    this.#defaultTtl = promptCacheOptions?.ttl;
  }

  /** Notes the mark of a part, if it has one. `path`: of the part; `block`: what was made of it. */
  add(breakpoint: PromptCacheBreakpoint | undefined, path: string, block: Mark["block"]): void {
    if (breakpoint === undefined) return;
    this.#marks.push({ path: `${path}.prompt_cache_breakpoint`, ttl: breakpoint.ttl ?? this.#defaultTtl, block });
  }

  /** Moves the mark of a block to the block that takes its place. */
  move(from: Mark["block"], to: Mark["block"]): void {
    const mark = this.#marks.find(({ block }) => block === from);
    if (mark !== undefined) mark.block = to;
  }

  /** Moves the marks of blocks forward, directly behind those of the blocks that they now follow. */
  hoist(blocks: readonly Mark["block"][], followed: readonly Mark["block"][]): void {
    const moved = this.#marks.filter(({ block }) => blocks.includes(block));
    if (moved.length === 0) return;
    const others = this.#marks.filter(({ block }) => !blocks.includes(block));
    const at = others.findLastIndex(({ block }) => followed.includes(block)) + 1;
    this.#marks = others.toSpliced(at, 0, ...moved);
  }

  /** Sets the last four marks. Anthropic wants longer times before shorter ones, so a mark before a long one is long, too. */
  apply(): Adjustment[] {
    const adjustments: Adjustment[] = this.#marks
      .slice(0, -MAX_MARKS)
      .map(({ path }) => dropped(path, `Anthropic takes ${MAX_MARKS} marks, and the last ones count`));
    const kept = this.#marks.slice(-MAX_MARKS);
    const lastLong = kept.findLastIndex(({ ttl }) => isLong(ttl));
    for (const [at, { path, ttl, block }] of kept.entries()) {
      const given = at <= lastLong ? "1h" : "5m";
      block.cache_control = { type: "ephemeral", ttl: given };
      if (ttl !== undefined && ttl !== given)
        adjustments.push(mapped(`${path}.ttl`, "Anthropic keeps prefixes for 5m or 1h", ttl.slice(0, 32), given));
      else if (ttl === undefined && given === "1h")
        adjustments.push(mapped(path, "a mark before one of an hour must be one of an hour", "5m", given));
    }
    return adjustments;
  }
}

const isLong = (ttl: string | undefined): boolean =>
  ttl !== undefined && (parseDuration(ttl) ?? Number.POSITIVE_INFINITY) > FIVE_MINUTES_MS;

/** What of the options of caching Anthropic has no word for. */
export function adjustCacheOptions({ promptCacheOptions: options }: ChatCompletionParams): Adjustment[] {
  if (options?.mode !== PromptCacheOptions_Mode.IMPLICIT) return [];
  return [dropped("prompt_cache_options.mode", "Anthropic caches what is marked, and nothing else")];
}
