import { isDamage, isSnapshotError } from "../core/errors.js"

/**
 * What is read of an object; undefined when it is gone, damaged, or too large to be taken into memory, which says nothing
 * of any other object.
 */
export async function unlessUnusable<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isDamage(error) || isSnapshotError(error, "UNSUPPORTED")) return undefined
    throw error
  }
}
