/**
 * How a fleet shares photos out (docs/fleet.md). Each worker that can take one says
 * what it can do; one hash holds what all of them said: `<seen ms> <size px> <seconds> <places>
 * <ready>`. Times are Redis' own: boxes' clocks differ.
 */

/** A box that has not said anything for this long is not counted on, ms. */
const freshMs = 5_000;
/** Faster by less than this is not worth waiting for. */
const clearlyFaster = 0.8;
/** A box that becomes free for a suspect asks every 100 ms; one that stopped asking has let go, ms. */
const keptFreeMs = 3_000;

const said = `
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function say(key, worker, now, size, seconds, places, ready)
  redis.call('HSET', key, worker, string.format('%.0f %s %s %s %s', now, size, seconds, places, ready))
end`;

/** What boxes tell each other, in Lua, run whole by Redis. */
export const fleetScripts = {
  /** KEYS fleet; ARGV worker size seconds places ready. */
  huancaiSay: {
    keys: 1,
    lua: `${said}
say(KEYS[1], ARGV[1], clock(), ARGV[2], ARGV[3], ARGV[4], ARGV[5])`,
  },

  /**
   * Take the first photo that fits, unless faster boxes will have it done sooner. A suspect, a
   * photo that lost a worker, travels alone: whatever shared the worker with it would share the
   * blame. A box that holds others takes no more of them until it is free for the suspect.
   * KEYS wait active priority fleet activeEvent; ARGV prefix token leaseMs nowMs worker size seconds
   * places impatient without held. `without`: models between spaces, with a space at both ends.
   * `held`: photos this box has.
   * @returns the job as bull's own moveToActive does; 0: nothing fits; 1: left to faster boxes.
   */
  huancaiTake: {
    keys: 5,
    lua: `${said}
local worker, size, mine = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local now = clock()
say(KEYS[4], worker, now, ARGV[6], ARGV[7], ARGV[8], 1)
local length = redis.call('LLEN', KEYS[1])
if length == 0 then return 0 end

local boxes, largest = {}, size
local all = redis.call('HGETALL', KEYS[4])
for i = 1, #all, 2 do
  local seen, px, seconds, places, ready =
    string.match(all[i + 1], '^(%d+) (%S+) (%S+) (%S+) (%S+)$')
  if not seen or now - tonumber(seen) > ${freshMs * 12} then
    redis.call('HDEL', KEYS[4], all[i])
  elseif now - tonumber(seen) <= ${freshMs} then
    local box = { px = tonumber(px), seconds = tonumber(seconds), places = tonumber(places) }
    largest = math.max(largest, box.px)
    if all[i] ~= worker and ready == '1' then table.insert(boxes, box) end
  end
end

local function wants(id)
  local data = redis.call('HGET', ARGV[1] .. id, 'data') or ''
  local px, models = string.match(data, '^{"need":"(%d+) ([^"]*)"')
  -- What is larger than any box takes goes to the largest, which will say that it made it smaller.
  px = math.min(tonumber(px or '0'), largest)
  if px > size then return nil end
  for model in string.gmatch(models or '', '[^,]+') do
    if string.find(ARGV[10], ' ' .. model .. ' ', 1, true) then return nil end
  end
  return px
end

-- @returns 'take', 'wait': this box becomes free for it, 'pass': another one does.
local function verdict(id)
  local lost = redis.call('HGET', ARGV[1] .. id, 'stalledCounter')
  if tonumber(lost or '0') < 1 or ARGV[11] == '0' then return 'take' end
  local kept = ARGV[1] .. id .. ':keptFree'
  if (redis.call('GET', kept) or worker) ~= worker then return 'pass' end
  redis.call('SET', kept, worker, 'PX', ${keptFreeMs})
  return 'wait'
end

local id, px
for from = 1, length, 100 do
  local ids = redis.call('LRANGE', KEYS[1], -(from + 99), -from)
  for i = #ids, 1, -1 do
    px = wants(ids[i])
    if px then
      local what = verdict(ids[i])
      if what == 'wait' then return 0 end
      if what == 'take' then id = ids[i]; break end
    end
  end
  if id then break end
end
if not id then return 0 end

if mine > 0 and ARGV[9] ~= '1' then
  local rate = 0
  for _, box in ipairs(boxes) do
    if box.seconds > 0 and box.seconds < mine * ${clearlyFaster} and box.px >= px then
      rate = rate + box.places / box.seconds
    end
  end
  if rate > 0 and mine > length / rate then return 1 end
end

redis.call('LREM', KEYS[1], -1, id)
redis.call('LPUSH', KEYS[2], id)
local job = ARGV[1] .. id
redis.call('SET', job .. ':lock', ARGV[2], 'PX', ARGV[3])
redis.call('ZREM', KEYS[3], id)
redis.call('PUBLISH', KEYS[5], id)
redis.call('HSET', job, 'processedOn', ARGV[4])
return {redis.call('HGETALL', job), id}`,
  },

  /**
   * KEYS lock job active; ARGV token leaseMs id. A lock that ran out while Redis was away is ours
   * again unless somebody took the job. Whoever finds his job taken has not died with it: it does
   * not count against the job. @returns 1 still ours, 0 lost.
   */
  huancaiRenew: {
    keys: 3,
    lua: `
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
if not holder and redis.call('LPOS', KEYS[3], ARGV[3]) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
if tonumber(redis.call('HGET', KEYS[2], 'stalledCounter') or '0') > 0 then
  redis.call('HINCRBY', KEYS[2], 'stalledCounter', -1)
end
return 0`,
  },
} as const;
