import { diff3MergeRegions } from "node-diff3"
import { concat, latinText } from "../core/bytes.js"
import { isBinary } from "./binary-patch.js"

/**
 * What both sides made of `base`, line by line, byte for byte; undefined where they changed the same lines or lines next
 * to each other, where one of the three is binary, and where comparing them would take too long.
 */
export function mergeLines(base: Uint8Array, ours: Uint8Array, theirs: Uint8Array): Uint8Array | undefined {
  const contents = [ours, base, theirs]
  if (contents.some((content) => content.length > MOST_BYTES || isBinary(content))) return undefined
  // Each character is a byte, so that what is no UTF-8 comes back as it was.
  const [a = [], o = [], b = []] = contents.map((content) => latinText(content).split(/(?<=\n)/))
  if (pairs(o, a) > MOST_PAIRS || pairs(o, b) > MOST_PAIRS) return undefined
  const merged: string[] = []
  for (const region of diff3MergeRegions(a, o, b)) {
    if (region.stable) for (const line of region.bufferContent) merged.push(line)
    else if (isSame(region.aContent, region.bContent)) for (const line of region.aContent) merged.push(line)
    else return undefined
  }
  return concat(merged.map((line) => Uint8Array.from(line, (character) => character.charCodeAt(0))))
}

const MOST_BYTES = 4 * 1024 * 1024
/** The library looks at each pair of equal lines. */
const MOST_PAIRS = 2_000_000

function pairs(some: readonly string[], others: readonly string[]): number {
  const counts = new Map<string, number>()
  for (const line of some) counts.set(line, (counts.get(line) ?? 0) + 1)
  return others.reduce((sum, line) => sum + (counts.get(line) ?? 0), 0)
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((line, i) => line === others[i])
}
