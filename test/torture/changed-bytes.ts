/** A copy of `bytes` with one to four random changes: bits, bytes, numbers that lie, pieces cut out, doubled or swapped. */
export function changedBytes(bytes: Uint8Array, random: (limit: number) => number): Uint8Array {
  let changed = Buffer.from(bytes)
  for (let changes = 1 + random(4); changes > 0; changes--) changed = Buffer.from(changedOnce(changed, random))
  return Uint8Array.from(changed)
}

function changedOnce(bytes: Buffer, random: (limit: number) => number): Uint8Array {
  if (bytes.length === 0) return Buffer.from([random(256)])
  const at = random(bytes.length)
  const length = 1 + random(Math.min(32, bytes.length - at))
  const [before, piece, after] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at + length)]
  switch (random(7)) {
    case 0: {
      const copy = Buffer.from(bytes)
      copy[at] = (copy[at] ?? 0) ^ (1 << random(8))
      return copy
    }
    case 1: {
      const copy = Buffer.from(bytes)
      copy[at] = [0, 0x7f, 0x80, 0xff][random(4)] ?? random(256)
      return copy
    }
    case 2: {
      const copy = Buffer.from(bytes)
      if (bytes.length >= 4) copy.writeUInt32BE(LIES[random(LIES.length)] ?? 0, Math.min(at, bytes.length - 4))
      return copy
    }
    case 3:
      return before
    case 4:
      return Buffer.concat([before, after])
    case 5:
      return Buffer.concat([before, piece, piece, after])
    default:
      return Buffer.concat([before, Buffer.from(Array.from({ length }, () => random(256))), after])
  }
}

/** Sizes and offsets that whoever believes them regrets. */
const LIES = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0, 0x10000]
