/** Many pieces of bytes as one, which takes one copy to hand to a thread. */
export interface JoinedBytes {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** By piece; -1 where there is none. */
  readonly lengths: Int32Array
}

/** Pieces one behind the other. Each is below 2 GiB. */
export function joinBytes(pieces: readonly (Uint8Array | undefined)[]): JoinedBytes {
  const lengths = Int32Array.from(pieces, (piece) => piece?.length ?? -1)
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + padded(length), 0))
  let at = 0
  for (const piece of pieces) {
    if (piece === undefined) continue
    bytes.set(piece, at)
    at += padded(piece.length)
  }
  return { bytes, lengths }
}

/** The pieces again, in the memory of the whole. */
export function splitBytes({ bytes, lengths }: JoinedBytes): (Uint8Array | undefined)[] {
  let at = 0
  return Array.from(lengths, (length) => {
    if (length < 0) return undefined
    const piece = bytes.subarray(at, at + length)
    at += padded(length)
    return piece
  })
}

/** Pieces begin at multiples of eight, so that they can be compared by words. */
function padded(length: number): number {
  return length < 0 ? 0 : (length + 7) & ~7
}
