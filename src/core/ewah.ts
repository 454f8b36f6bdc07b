/*
 * EWAH bitmaps, as Git's index keeps them in its "link" extension, all numbers in network order:
 *
 *   <4 bytes: number of bits> <4 bytes: number of words> <words of 8 bytes> <4 bytes: place of the last run's word>
 *
 * A word that starts a run: bit 0 is the run's bit, bits 1–32 its length in words, bits 33–63 the number of words
 * behind it that stand for themselves.
 * Source: https://git-scm.com/docs/gitformat-bitmap (Appendix A)
 */

/** A bitmap where it was found: what follows it starts at `end`. */
export interface EwahBitmap {
  readonly bits: number
  readonly words: Uint8Array
  readonly end: number
}

/** The bitmap that starts at `offset`; undefined when the bytes hold none. */
export function ewahAt(bytes: Uint8Array, offset: number): EwahBitmap | undefined {
  if (offset + 8 > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = offset + 8
  const end = start + view.getUint32(offset + 4) * 8
  if (end + 4 > bytes.length) return undefined
  return { bits: view.getUint32(offset), words: bytes.subarray(start, end), end: end + 4 }
}

/** The places of the bits that are set, ascending; undefined when one is `limit` or above, or the words are no bitmap. */
export function setBits({ bits, words }: EwahBitmap, limit: number): number[] | undefined {
  const view = new DataView(words.buffer, words.byteOffset, words.byteLength)
  const set: number[] = []
  const most = Math.min(bits, limit)
  let bit = 0
  let at = 0
  while (at < words.length) {
    const high = view.getUint32(at)
    const low = view.getUint32(at + 4)
    at += 8
    const runBits = ((low >>> 1) + (high & 1) * 2 ** 31) * 64
    let literals = high >>> 1
    if ((low & 1) === 1) {
      if (bit + runBits > Math.ceil(most / 64) * 64) return undefined
      for (let each = bit; each < bit + runBits; each++) set.push(each)
    }
    bit += runBits
    if (at + literals * 8 > words.length) return undefined
    for (; literals > 0; literals--, at += 8, bit += 64)
      for (let place = 0; place < 64; place++) {
        const half = view.getUint32(place < 32 ? at + 4 : at)
        if (((half >>> (place % 32)) & 1) === 0) continue
        if (bit + place >= most) return undefined
        set.push(bit + place)
      }
  }
  return set.some((each) => each >= most) ? undefined : set
}
