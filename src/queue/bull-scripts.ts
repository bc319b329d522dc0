/**
 * Lua beside bull's own (pinned 4.16.5: it gets fixes only, its keys no longer change). Bull keeps
 * a job as hash `<prefix><id>`; its id is in the lists wait and active or the sorted sets delayed,
 * completed, failed; the sorted set priority holds the waiting ones' priorities.
 */

/**
 * One number orders bull's waiting list: priority * turnSpan + turn. Turns are those of the
 * database queue: a group's n-th waiting job stands in turn n.
 */
export const turnSpan = 2 ** 32;
/** How a cancelled job is told from a dead one: bull has no such state. */
export const cancelledReason = 'CANCELLED';

const turnOf = `
local low = tonumber(ARGV[1]) * ${turnSpan}
local served = redis.call('ZRANGEBYSCORE', KEYS[1], low, low + ${turnSpan} - 1,
  'WITHSCORES', 'LIMIT', 0, 1)
local base = 0
if served[2] then
  base = tonumber(served[2]) - low - 1
else
  redis.call('DEL', KEYS[2])
end
local last = tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or '0')
local turn = math.max(base, last) + 1
redis.call('HSET', KEYS[2], ARGV[2], turn)
return string.format('%.0f', low + turn)`;

const putBack = `
local function putBack(waitKey, priorityKey, jobId, priority)
  redis.call('ZADD', priorityKey, priority, jobId)
  local count = redis.call('ZCOUNT', priorityKey, 0, priority)
  local len = redis.call('LLEN', waitKey)
  local id = redis.call('LINDEX', waitKey, len - (count - 1))
  if id then
    redis.call('LINSERT', waitKey, 'BEFORE', id, jobId)
  else
    redis.call('RPUSH', waitKey, jobId)
  end
end`;

/** What bull has no command for: Lua, run whole by Redis. */
export const bullScripts = {
  /** KEYS priority turns job; ARGV priority group. @returns score, or '' when the job exists. */
  huancaiTurn: {
    keys: 3,
    lua: `if redis.call('EXISTS', KEYS[3]) == 1 then return '' end${turnOf}`,
  },

  /** KEYS wait delayed priority failed job; ARGV id now channel. @returns 1 done, 2 asked, 0 no. */
  huancaiCancel: {
    keys: 5,
    lua: `
if redis.call('EXISTS', KEYS[5]) == 0 then return 0 end
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 1 or redis.call('ZREM', KEYS[2], ARGV[1]) == 1 then
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('HSET', KEYS[5], 'failedReason', '${cancelledReason}: cancelled', 'finishedOn', ARGV[2])
  redis.call('ZADD', KEYS[4], ARGV[2], ARGV[1])
  return 1
end
if redis.call('EXISTS', KEYS[5] .. ':lock') == 0 then return 0 end
redis.call('HSET', KEYS[5], 'cancelWanted', 1)
redis.call('PUBLISH', ARGV[3], ARGV[1])
return 2`,
  },

  /** KEYS wait priority failed job; ARGV id. Attempts start from zero. @returns 1 or 0. */
  huancaiRetry: {
    keys: 4,
    lua: `${putBack}
if redis.call('ZREM', KEYS[3], ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[4], 'failedReason', 'finishedOn', 'processedOn', 'stalledCounter',
  'stacktrace', 'cancelWanted', 'worker', 'progress')
redis.call('HSET', KEYS[4], 'attemptsMade', 0)
putBack(KEYS[1], KEYS[2], ARGV[1], tonumber(redis.call('HGET', KEYS[4], 'priority') or '0'))
return 1`,
  },

  /**
   * KEYS one prefix per queue; ARGV id. @returns nil or index of the queue, state, jobs before it,
   * running jobs, the hash. A hash in none of bull's lists is no job: a worker that was just taking
   * it wrote on a flushed server. It goes, or its key would answer `exists` for ever.
   */
  huancaiInspect: {
    keys: undefined,
    lua: `
for index, prefix in ipairs(KEYS) do
  local job = redis.call('HGETALL', prefix .. ARGV[1])
  if #job > 0 then
    local active = redis.call('LLEN', prefix .. 'active')
    local state, ahead = nil, 0
    local place = redis.call('LPOS', prefix .. 'wait', ARGV[1])
    if place then
      state, ahead = 'waiting', redis.call('LLEN', prefix .. 'wait') - 1 - place
    elseif redis.call('ZSCORE', prefix .. 'completed', ARGV[1]) then state = 'done'
    elseif redis.call('ZSCORE', prefix .. 'failed', ARGV[1]) then state = 'dead'
    elseif redis.call('ZSCORE', prefix .. 'delayed', ARGV[1]) then
      state, ahead = 'delayed', redis.call('LLEN', prefix .. 'wait')
    elseif redis.call('LPOS', prefix .. 'active', ARGV[1]) then state = 'active'
    end
    if state then return {index, state, ahead, active, job} end
    redis.call('DEL', prefix .. ARGV[1], prefix .. ARGV[1] .. ':lock')
  end
end
return nil`,
  },

  /** KEYS one prefix per queue. @returns waiting active delayed done failed cancelled. */
  huancaiCounts: {
    keys: undefined,
    lua: `
local sums = {0, 0, 0, 0, 0, 0}
for _, prefix in ipairs(KEYS) do
  sums[1] = sums[1] + redis.call('LLEN', prefix .. 'wait')
  sums[2] = sums[2] + redis.call('LLEN', prefix .. 'active')
  sums[3] = sums[3] + redis.call('ZCARD', prefix .. 'delayed')
  sums[4] = sums[4] + redis.call('ZCARD', prefix .. 'completed')
  for _, id in ipairs(redis.call('ZRANGE', prefix .. 'failed', 0, -1)) do
    local reason = redis.call('HGET', prefix .. id, 'failedReason') or ''
    local slot = string.sub(reason, 1, ${cancelledReason.length}) == '${cancelledReason}' and 6 or 5
    sums[slot] = sums[slot] + 1
  end
end
return sums`,
  },
} as const;

type Reply<T> = Promise<T>;

/** The scripts as ioredis offers them; those with variable keys take their number first. */
export interface BullCommands {
  huancaiTurn(...args: (string | number)[]): Reply<string>;
  huancaiCancel(...args: (string | number)[]): Reply<0 | 1 | 2>;
  huancaiRetry(...args: (string | number)[]): Reply<0 | 1>;
  huancaiInspect(
    keys: number,
    ...args: string[]
  ): Reply<[number, string, number, number, string[]] | null>;
  huancaiCounts(keys: number, ...args: string[]): Reply<number[]>;
  huancaiSay(...args: (string | number)[]): Reply<unknown>;
  huancaiTake(...args: (string | number)[]): Reply<0 | 1 | [string[], string]>;
  huancaiRenew(...args: (string | number)[]): Reply<0 | 1>;
}
