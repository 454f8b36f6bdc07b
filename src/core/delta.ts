/*
 * A delta: how to make an object from another one, its base.
 *
 *   1sssssss … 0sssssss    size of the base, lowest bits first; the highest bit says that another byte follows
 *   1sssssss … 0sssssss    size of the result
 *   instruction … instruction
 *
 * An instruction:
 *
 *   1lllpppp  0–4 bytes of position  0–3 bytes of length    copy from the base. Each bit p and l, from the right, says
 *                                                           that its byte is there, lowest byte first; others are 0.
 *                                                           A length of 0 means 65,536.
 *   0nnnnnnn  n bytes                                       insert these bytes; n is not 0
 *
 * Source: https://git-scm.com/docs/gitformat-pack
 */

/** What a delta says of its base and of its result. */
export interface DeltaSizes {
  readonly baseBytes: number
  readonly resultBytes: number
}

/** The two sizes that a delta begins with, or undefined when it does not begin with two. */
export function deltaSizes(delta: Uint8Array): DeltaSizes | undefined {
  const base = sizeAt(delta, 0)
  const result = base && sizeAt(delta, base.end)
  return base && result && { baseBytes: base.size, resultBytes: result.size }
}

/**
 * The result of `delta` on `base`; undefined when the delta is damaged or made for another base. Nothing is allocated
 * before all instructions have been checked against the sizes that the delta claims.
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array): Uint8Array | undefined {
  const claimed = sizeAt(delta, 0)
  const result = claimed && sizeAt(delta, claimed.end)
  if (claimed?.size !== base.length || result === undefined) return undefined

  let length = 0
  const whole = eachInstruction(delta, result.end, (from, start, count) => {
    length += count
    return start + count <= (from === "base" ? base : delta).length
  })
  if (!whole || length !== result.size) return undefined

  const bytes = new Uint8Array(length)
  let at = 0
  eachInstruction(delta, result.end, (from, start, count) => {
    bytes.set((from === "base" ? base : delta).subarray(start, start + count), at)
    at += count
    return true
  })
  return bytes
}

/** Calls `visit` for each instruction until it says no; whether all were read and visited. */
function eachInstruction(
  delta: Uint8Array,
  from: number,
  visit: (from: "base" | "delta", start: number, count: number) => boolean,
): boolean {
  let at = from
  while (at < delta.length) {
    const instruction = delta[at++] as number
    if (instruction === 0) return false
    if (instruction < 0x80) {
      if (!visit("delta", at, instruction)) return false
      at += instruction
      continue
    }
    let start = 0
    let count = 0
    for (let i = 0; i < 4; i++) if (instruction & (1 << i)) start += (delta[at++] ?? NaN) * 2 ** (8 * i)
    for (let i = 0; i < 3; i++) if (instruction & (16 << i)) count += (delta[at++] ?? NaN) * 2 ** (8 * i)
    // A missing byte makes NaN, which fails every comparison.
    if (!visit("base", start, count === 0 ? 0x10000 : count)) return false
  }
  return at === delta.length
}

function sizeAt(delta: Uint8Array, at: number): { size: number; end: number } | undefined {
  let size = 0
  let unit = 1
  for (let end = at; end < delta.length && unit < 2 ** 60; end++) {
    const byte = delta[end] as number
    size += (byte & 127) * unit
    unit *= 128
    if (size > Number.MAX_SAFE_INTEGER) return undefined
    if (byte < 0x80) return { size, end: end + 1 }
  }
  return undefined
}
