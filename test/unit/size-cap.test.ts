import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { KeptItem, KeptReason } from "../../src/core/retention.js"
import { inCapOrder, withinCap, type SizedItem } from "../../src/core/size-cap.js"

function kept(item: string, ...reasons: KeptReason[]): KeptItem<string> {
  return { item, reasons }
}

/** Snapshots by their names, each with why it stays and what it adds. */
function sized(...items: readonly (readonly [string, KeptReason, number])[]): SizedItem<string>[] {
  const bytes = new Map(items.map(([item, , addedBytes]) => [item, addedBytes]))
  const list = items.map(([item, reason]) => kept(item, reason))
  return inCapOrder(list).map((each) => ({ kept: each, addedBytes: bytes.get(each.item) ?? 0 }))
}

describe("the order of the cap", () => {
  test("has first what stays in any case, then the rest, both as they came", () => {
    const list = [
      kept("e", "newest"),
      kept("d", "last"),
      kept("c", "recent-safety", "within"),
      kept("b", "daily"),
      kept("a", "pinned"),
      kept("0", "held"),
    ]
    expect(inCapOrder(list).map(({ item }) => item)).toEqual(["e", "c", "a", "0", "d", "b"])
  })
})

describe("a cap", () => {
  test("drops the oldest until the rest fits, to the byte", () => {
    const list = sized(["d", "newest", 10], ["c", "last", 10], ["b", "last", 10], ["a", "last", 10])
    expect(withinCap(list, 5, 45)).toEqual({ removed: new Set(), bytesOver: 0 })
    expect(withinCap(list, 5, 44)).toEqual({ removed: new Set(["a"]), bytesOver: 0 })
    expect(withinCap(list, 5, 25)).toEqual({ removed: new Set(["b", "a"]), bytesOver: 0 })
  })

  test("drops all that are older than one that does not fit, small ones, too", () => {
    const list = sized(["d", "newest", 1], ["c", "last", 50], ["b", "daily", 1], ["a", "weekly", 0])
    expect([...withinCap(list, 0, 20).removed]).toEqual(["c", "b", "a"])
  })

  test("never drops what stays in any case, and says by how much that is too much", () => {
    const list = sized(["c", "newest", 30], ["b", "last", 10], ["a", "pinned", 30])
    expect(withinCap(list, 7, 50)).toEqual({ removed: new Set(["b"]), bytesOver: 17 })
  })

  test("leaves what fits, is never kinder to an older one, and lets go only what does not fit", () => {
    const reason = fc.constantFrom<KeptReason>("last", "within", "daily", "fits", "newest", "pinned", "held")
    const item = fc.tuple(fc.uuid(), reason, fc.nat(100))
    fc.assert(
      fc.property(fc.array(item, { maxLength: 30 }), fc.nat(100), fc.nat(1500), (items, otherBytes, maxBytes) => {
        const list = sized(...items)
        const { removed, bytesOver } = withinCap(list, otherBytes, maxBytes)
        const left = list.filter(({ kept: { item: name } }) => !removed.has(name))
        const bytes = left.reduce((sum, { addedBytes }) => sum + addedBytes, otherBytes)
        expect(bytesOver).toBe(Math.max(0, bytes - maxBytes))
        const free = list.filter(({ kept: { reasons } }) => !["newest", "pinned", "held"].includes(String(reasons[0])))
        const gone = free.map(({ kept: { item: name } }) => removed.has(name))
        expect(gone).toEqual(gone.toSorted())
        const first = free[gone.indexOf(true)]
        if (first !== undefined) expect(bytes + first.addedBytes).toBeGreaterThan(maxBytes)
        expect(removed.size).toBe(gone.filter(Boolean).length)
      }),
    )
  })
})
