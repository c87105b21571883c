/** Atomic steps inside Redis: many processes ask at once, and each token is given once. */

/**
 * The token bucket of venues/local-rate-budget.ts, by Redis's clock, so that the processes' clocks need not agree.
 * KEYS: bucket, ban of the scope, ban of its venue. ARGV: capacity, refill per ms, floor, weight. Answers
 * [granted, retryAfterMs, bannedByVenue, tokens left].
 */
export const TAKE_SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ban = math.max(tonumber(redis.call('GET', KEYS[2]) or '0'), tonumber(redis.call('GET', KEYS[3]) or '0'))
if ban > now then return {0, ban - now, 1, 0} end
local capacity, refill, floor, weight = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local known = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(capacity, tonumber(known[1] or capacity) + math.max(0, now - tonumber(known[2] or now)) * refill)
local needed = math.min(floor + weight, capacity)
local granted = tokens >= needed
if granted then tokens = tokens - weight end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil((capacity + weight) / refill) + 60000)
if granted then return {1, 0, 0, math.floor(tokens)} end
return {0, math.max(1, math.ceil((needed - tokens) / refill)), 0, 0}
`;

/** KEYS: ban of the scope. ARGV: ms from now. A longer ban that is known stays. */
export const BAN_SCRIPT = `
local time = redis.call('TIME')
local till = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
local known = tonumber(redis.call('GET', KEYS[1]) or '0')
if till > known then redis.call('SET', KEYS[1], till, 'PX', ARGV[1]) end
return 1
`;

/** KEYS: the hash of newest values. ARGV: topic, text, channel. Kept before it is told: a late joiner misses neither. */
export const PUBLISH_SCRIPT = `
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return redis.call('PUBLISH', ARGV[3], ARGV[2])
`;
