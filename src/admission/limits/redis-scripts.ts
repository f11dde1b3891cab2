import type { CommandParser } from "redis";

/**
 * The scripts that hold callers to their limits in Redis, each of which happens at once or not at all. They count as bucket.ts does.
 *
 * The keys of a script are those of one caller, and have one hash tag, so that they lie in one slot of a cluster. The time is that of
 * Redis, in whole milliseconds. Numbers are written with all their digits, which Lua's own `tostring` does not do.
 */

/** The keys of a caller. */
export interface CallerKeys {
  /** Hash: how full the buckets were at a time, and their limits then. There is none while all are full. */
  readonly buckets: string;
  /** Sorted set: a ticket for each call that runs, by the time at which it is no longer held. */
  readonly calls: string;
  /** The same of streams. */
  readonly streams: string;
  /** Nano-dollars that were spent in the period of the budget; none: it is to be asked of the store. */
  readonly spend: string;
}

/** What a reserve may answer besides a refusal. */
export const GRANTED = 0;
/** What was spent is not known to Redis. Nothing was decided. */
export const SPEND_UNKNOWN = -1;

/**
 * Time for which a ticket that is not held any more is remembered: so a settle that is told again, because nobody knows whether it was
 * heard, can tell by its ticket that it was.
 */
export const GRACE_MS = 600_000;

/** How a settle treats a ticket that Redis does not know. */
export type SettleMode =
  /** It is told for the first time: the ticket was forgotten, and its call counts all the same. */
  | "first"
  /** It may have been heard: an unknown ticket says that it was. */
  | "again";

const BUCKETS = `
local function text(number) return string.format('%.17g', number) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kept = redis.call('HMGET', KEYS[1], 'at', 'requests', 'requestLimit', 'tokens', 'tokenLimit')
local elapsed = math.max(0, now - (tonumber(kept[1]) or now))
local function level(field, limit)
  local full = limit * 60000
  local was = tonumber(kept[field + 1]) or 0
  if was == 0 then return full end
  local units = math.min(was * 60000, tonumber(kept[field]) + elapsed * was)
  if was ~= limit and units > 0 then units = math.floor(units / was * limit) end
  return math.min(full, units)
end
local function resetMs(units, limit)
  if limit == 0 then return 0 end
  return math.ceil((limit * 60000 - units) / limit)
end
local function keep(requests, requestLimit, tokens, tokenLimit)
  local fullMs = math.max(resetMs(requests, requestLimit), resetMs(tokens, tokenLimit))
  if fullMs <= 0 then redis.call('DEL', KEYS[1]) return end
  redis.call('HSET', KEYS[1], 'at', text(now), 'requests', text(requests), 'requestLimit', text(requestLimit),
    'tokens', text(tokens), 'tokenLimit', text(tokenLimit))
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', fullMs + 1000))
end
`;

/**
 * Keys: buckets, calls, streams, spend.
 * Arguments: limits of requests, tokens, calls, streams (0: none); budget ("": none), milliseconds until its period ends, what the
 * store says was spent ("": not asked yet); tokens asked for, whether it is a stream, ticket ("": none is needed), milliseconds for
 * which it is held.
 */
const RESERVE = `${BUCKETS}
local requestLimit, tokenLimit, callLimit, streamLimit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local asked, isStream, ticket, leaseMs = tonumber(ARGV[8]), ARGV[9] == '1', ARGV[10], tonumber(ARGV[11])
local limit, longest = ${GRANTED}, 0
local function look(code, waitMs) if waitMs > longest then limit = code longest = waitMs end end
local function missing(units, limit, amount)
  if limit == 0 then return 0 end
  return math.ceil((math.min(amount, limit) * 60000 - units) / limit)
end
local function isTaken(key, places) return places > 0 and redis.call('ZCOUNT', key, '(' .. text(now), '+inf') >= places end

local budgetWaitMs = 0
if ARGV[5] ~= '' then
  local spent = redis.call('GET', KEYS[4])
  if not spent then
    if ARGV[7] == '' then return {${SPEND_UNKNOWN}, 0, 0, 0, 0, 0} end
    spent = ARGV[7]
    redis.call('SET', KEYS[4], spent, 'PX', string.format('%.0f', ARGV[6] + 86400000))
  end
  if tonumber(spent) >= tonumber(ARGV[5]) then budgetWaitMs = tonumber(ARGV[6]) end
end
local requests, tokens = level(2, requestLimit), level(4, tokenLimit)
if isTaken(KEYS[2], callLimit) then look(1, 1000) end
if isStream and isTaken(KEYS[3], streamLimit) then look(2, 1000) end
look(3, missing(requests, requestLimit, 1))
look(4, missing(tokens, tokenLimit, asked))
look(5, budgetWaitMs)
if limit == ${GRANTED} then
  if requestLimit > 0 then requests = requests - 60000 end
  if tokenLimit > 0 then tokens = tokens - asked * 60000 end
  keep(requests, requestLimit, tokens, tokenLimit)
  if ticket ~= '' then
    for place = 2, isStream and 3 or 2 do
      redis.call('ZREMRANGEBYSCORE', KEYS[place], '-inf', text(now - ${GRACE_MS}))
      redis.call('ZADD', KEYS[place], text(now + leaseMs), ticket)
      redis.call('PEXPIRE', KEYS[place], string.format('%.0f', leaseMs + ${GRACE_MS}))
    end
  end
end
return {limit, longest,
  math.max(0, math.floor(requests / 60000)), resetMs(requests, requestLimit),
  math.max(0, math.floor(tokens / 60000)), resetMs(tokens, tokenLimit)}
`;

/** Keys: as above. Arguments: limits of requests and of tokens. It answers as the one before does, and takes nothing. */
const LOOK = `${BUCKETS}
local requestLimit, tokenLimit = tonumber(ARGV[1]), tonumber(ARGV[2])
local requests, tokens = level(2, requestLimit), level(4, tokenLimit)
return {${GRANTED}, 0,
  math.max(0, math.floor(requests / 60000)), resetMs(requests, requestLimit),
  math.max(0, math.floor(tokens / 60000)), resetMs(tokens, tokenLimit)}
`;

/**
 * Keys: as above. Arguments: ticket ("": there is none), tokens to give back (negative: to take), nano-dollars to add, limit of tokens,
 * mode. Money is added to a figure that is there only: one that is asked of the store later has it already.
 */
const SETTLE = `${BUCKETS}
local found = 0
if ARGV[1] ~= '' then
  found = redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
end
if found == 0 and ARGV[5] ~= 'first' then return 0 end
if ARGV[3] ~= '0' and redis.call('EXISTS', KEYS[4]) == 1 then redis.call('INCRBY', KEYS[4], ARGV[3]) end
local back = tonumber(ARGV[2])
if back ~= 0 then
  local requestLimit, tokenLimit = tonumber(kept[3]) or 0, tonumber(kept[5]) or 0
  if tokenLimit == 0 then tokenLimit = tonumber(ARGV[4]) end
  local requests, tokens = level(2, requestLimit), level(4, tokenLimit)
  if tokenLimit > 0 then
    keep(requests, requestLimit, math.min(tokenLimit * 60000, tokens + back * 60000), tokenLimit)
  end
end
return 1
`;

/** Keys: calls, streams. Arguments: milliseconds for which tickets are held from now on; a ticket and whether it is a stream, and so on. */
const RENEW = `
local time = redis.call('TIME')
local heldUntil = string.format('%.17g', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1])
local function renew(key, ticket)
  redis.call('ZADD', key, heldUntil, ticket)
  redis.call('PEXPIRE', key, string.format('%.0f', ARGV[1] + ${GRACE_MS}))
end
for at = 2, #ARGV, 2 do
  renew(KEYS[1], ARGV[at])
  if ARGV[at + 1] == '1' then renew(KEYS[2], ARGV[at]) end
end
return 1
`;

/** Keys: the processes. Arguments: which one lives, and the milliseconds for which one counts. Answers how many there are. */
const BEAT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.17g', now))
redis.call('ZADD', KEYS[1], string.format('%.17g', now + ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
`;

/** Forgets a process. Keys: the processes. Arguments: which one. */
const LEAVE = "return redis.call('ZREM', KEYS[1], ARGV[1])";

/** All scripts. */
export const SCRIPTS: readonly string[] = [RESERVE, LOOK, SETTLE, RENEW, BEAT, LEAVE];

/** Sorted set: the processes that live. */
const PROCESSES = "parley:processes";

/** Makes the scripts as node-redis wants them. */
export function defineScripts({ defineScript }: typeof import("redis")) {
  const parseCaller = (parser: CommandParser, keys: CallerKeys, args: readonly string[]): void => {
    parser.pushKeys([keys.buckets, keys.calls, keys.streams, keys.spend]);
    parser.push(...args);
  };
  return {
    reserve: defineScript({
      SCRIPT: RESERVE,
      NUMBER_OF_KEYS: 4,
      parseCommand: parseCaller,
      transformReply: (reply: unknown) => reply as readonly number[],
    }),
    look: defineScript({
      SCRIPT: LOOK,
      NUMBER_OF_KEYS: 4,
      parseCommand: parseCaller,
      transformReply: (reply: unknown) => reply as readonly number[],
    }),
    settle: defineScript({
      SCRIPT: SETTLE,
      NUMBER_OF_KEYS: 4,
      parseCommand: parseCaller,
      transformReply: (reply: unknown) => reply as number,
    }),
    renew: defineScript({
      SCRIPT: RENEW,
      NUMBER_OF_KEYS: 2,
      parseCommand(parser: CommandParser, keys: CallerKeys, args: readonly string[]) {
        parser.pushKeys([keys.calls, keys.streams]);
        parser.push(...args);
      },
      transformReply: (reply: unknown) => reply as number,
    }),
    beat: defineScript({
      SCRIPT: BEAT,
      NUMBER_OF_KEYS: 1,
      parseCommand(parser: CommandParser, process: string, livesMs: number) {
        parser.pushKey(PROCESSES);
        parser.push(process, String(livesMs));
      },
      transformReply: (reply: unknown) => reply as number,
    }),
    leave: defineScript({
      SCRIPT: LEAVE,
      NUMBER_OF_KEYS: 1,
      parseCommand(parser: CommandParser, process: string) {
        parser.pushKey(PROCESSES);
        parser.push(process);
      },
      transformReply: (reply: unknown) => reply as number,
    }),
  };
}
