/** The error for a zlib stream that cannot be read. The caller, who knows what it was, says so with its own code. */
export function damagedStream(reason: string, cause?: unknown): Error {
  return new Error(`The compressed content cannot be read: ${reason}.`, cause === undefined ? undefined : { cause })
}

/** Whether a zlib stream of so many bytes can hold so much. Nothing shrinks to less than 1/1032. Source: zlib's technical notes. */
export function canHold(streamBytes: number, contentBytes: number): boolean {
  return contentBytes <= streamBytes * 1032
}

/** The reason to give when content is not as long as it should be. */
export const WRONG_SIZE = "its size is not the one that was recorded"
/** The reason to give when the content ends too early. */
export const CUT = "it is cut off"
