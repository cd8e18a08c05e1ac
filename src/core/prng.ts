// The core's only source of chance: a 32-bit generator (mulberry32) whose whole state is one number, so that a run can
// be cloned and replayed. Never used for secrets.

/** Advances `holder.prng` and returns a number in [0, 1). */
export function nextRandom(holder: { prng: number }): number {
  holder.prng = (holder.prng + 0x6d2b79f5) >>> 0
  let mixed = holder.prng
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
}
