import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { SnapshotError } from "../../src/core/errors.js"
import { DEFAULT_RETENTION, retain, type RetentionItem, type RetentionPolicy } from "../../src/core/retention.js"

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** A Wednesday, noon. */
const NOW = Date.parse("2026-03-18T12:00:00Z")

function capture(iso: string): RetentionItem {
  return { ref: `refs/snapshots/a/${iso}`, createdMs: Date.parse(iso), kind: "capture" }
}

function safety(iso: string): RetentionItem {
  return { ...capture(iso), kind: "safety" }
}

/** The refs that stay, without what is the same in all, newest first. */
function kept(items: readonly RetentionItem[], policy: RetentionPolicy, nowMs = NOW): string[] {
  return retain(items, nowMs, policy).kept.map(({ item }) => item.ref.slice("refs/snapshots/a/".length))
}

describe("each rule", () => {
  test("keepLast keeps the newest so many captures", () => {
    const items = ["2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z", "2026-03-02T00:00:00Z"].map(capture)
    expect(kept(items, { keepLast: 2 })).toEqual(["2026-03-03T00:00:00Z", "2026-03-02T00:00:00Z"])
    expect(kept(items, { keepLast: 0 })).toEqual(["2026-03-03T00:00:00Z"])
    expect(kept(items, { keepLast: 99 })).toHaveLength(3)
  })

  test("keepWithinMs keeps all from exactly so long ago on, and those of a clock that was ahead", () => {
    const items = ["2026-03-17T11:59:59.999Z", "2026-03-17T12:00:00Z", "2026-03-18T11:00:00Z", "2027-01-01T00:00:00Z"]
    expect(kept(items.map(capture), { keepWithinMs: DAY })).toEqual(items.slice(1).toReversed())
  })

  test("keepHourly keeps the newest of each of the newest hours that have one, on the hour of UTC", () => {
    const items = [
      "2026-03-18T09:59:59.999Z",
      "2026-03-18T10:00:00Z",
      "2026-03-18T10:59:59.999Z",
      "2026-03-18T11:30:00Z",
      "2026-03-18T02:00:00Z",
    ].map(capture)
    expect(kept(items, { keepHourly: 3 })).toEqual([
      "2026-03-18T11:30:00Z",
      "2026-03-18T10:59:59.999Z",
      "2026-03-18T09:59:59.999Z",
    ])
  })

  test("keepDaily counts days of UTC, and not days without a snapshot", () => {
    const items = [
      "2025-12-31T23:59:59.999Z",
      "2026-01-01T00:00:00Z",
      "2026-03-10T05:00:00Z",
      "2026-03-10T23:00:00Z",
    ].map(capture)
    expect(kept(items, { keepDaily: 2 })).toEqual(["2026-03-10T23:00:00Z", "2026-01-01T00:00:00Z"])
    expect(kept(items, { keepDaily: 3 })).toContain("2025-12-31T23:59:59.999Z")
  })

  test("keepWeekly counts weeks from Monday to Sunday, over the end of a year", () => {
    // 2025-12-29 was a Monday, 2026-01-04 the Sunday of the same week.
    const items = [
      "2025-12-28T23:59:59Z",
      "2025-12-29T00:00:00Z",
      "2026-01-01T00:00:00Z",
      "2026-01-04T23:59:59Z",
      "2026-01-05T00:00:00Z",
    ].map(capture)
    expect(kept(items, { keepWeekly: 3 })).toEqual([
      "2026-01-05T00:00:00Z",
      "2026-01-04T23:59:59Z",
      "2025-12-28T23:59:59Z",
    ])
  })

  test("what any rule keeps is kept, each with all its reasons", () => {
    const items = ["2026-03-18T11:00:00Z", "2026-03-18T11:30:00Z", "2026-03-01T00:00:00Z"].map(capture)
    const policy = { keepLast: 1, keepWithinMs: HOUR, keepHourly: 1, keepDaily: 2, keepWeekly: 1 }
    const { kept: found, removed } = retain(items, NOW, policy)
    expect(found.map(({ reasons }) => reasons)).toEqual([
      ["newest", "last", "within", "hourly", "daily", "weekly"],
      ["within"],
      ["daily"],
    ])
    expect(removed).toEqual([])
  })

  test("of two in one millisecond, the ref decides", () => {
    const [one, other] = [capture("2026-03-01T00:00:00Z"), { ...capture("2026-03-01T00:00:00Z"), ref: "refs/z" }]
    for (const items of [
      [one, other],
      [other, one],
    ])
      expect(retain(items, NOW, { keepLast: 1 }).removed).toEqual([one])
  })
})

describe("safety snapshots", () => {
  test("of the last 24 hours stay, older ones stay by keepWithinMs only", () => {
    const items = [
      capture("2026-03-18T11:00:00Z"),
      safety("2026-03-18T10:00:00Z"),
      safety("2026-03-17T12:00:00Z"),
      safety("2026-03-17T11:00:00Z"),
    ]
    const policy = { keepLast: 9, keepHourly: 9, keepDaily: 9, keepWeekly: 9 }
    expect(kept(items, policy)).toEqual(["2026-03-18T11:00:00Z", "2026-03-18T10:00:00Z", "2026-03-17T12:00:00Z"])
    expect(kept(items, { ...policy, keepWithinMs: 25 * HOUR })).toHaveLength(4)
  })

  test("take no place of a capture", () => {
    const items = [safety("2026-03-18T11:00:00Z"), capture("2026-03-02T00:00:00Z"), capture("2026-03-01T00:00:00Z")]
    expect(kept(items, { keepLast: 2 })).toHaveLength(3)
    expect(kept(items, { keepDaily: 2 })).toHaveLength(3)
  })

  test("the newest stays when it is the newest of all, however old", () => {
    const items = [safety("2026-02-02T00:00:00Z"), safety("2026-02-01T00:00:00Z"), capture("2026-01-01T00:00:00Z")]
    expect(kept(items, { keepLast: 0 })).toEqual(["2026-02-02T00:00:00Z", "2026-01-01T00:00:00Z"])
  })
})

describe("what stays whatever the rules say", () => {
  test("is what is pinned and what is held, of either kind and however old, with all its reasons", () => {
    const items = [
      capture("2026-03-18T11:00:00Z"),
      { ...capture("2026-01-01T00:00:00Z"), pinned: true },
      { ...safety("2025-01-01T00:00:00Z"), held: true },
      { ...safety("2024-01-01T00:00:00Z"), pinned: true, held: true },
      capture("2023-01-01T00:00:00Z"),
    ]
    const { kept: found, removed } = retain(items, NOW, { keepLast: 2 })
    expect(found.map(({ reasons }) => reasons)).toEqual([
      ["newest", "last"],
      ["pinned", "last"],
      ["held"],
      ["pinned", "held"],
    ])
    expect(removed).toEqual([items[4]])
  })
})

describe("a size limit", () => {
  test("alone keeps all, for the sizes to decide", () => {
    const items = [capture("2026-03-18T11:00:00Z"), capture("2020-01-01T00:00:00Z"), safety("2019-01-01T00:00:00Z")]
    const { kept: found, removed } = retain(items, NOW, { maxBytes: 0 })
    expect(found.map(({ reasons }) => reasons)).toEqual([["newest", "fits"], ["fits"], ["fits"]])
    expect(removed).toEqual([])
  })

  test("beside other rules keeps nothing", () => {
    const items = [capture("2026-03-18T11:00:00Z"), capture("2020-01-01T00:00:00Z")]
    expect(retain(items, NOW, { maxBytes: 10, keepLast: 0 }).removed).toEqual([items[1]])
  })
})

test("the default keeps a week in full, the newest of each of thirty days, and twenty at least", () => {
  const daysAgo = (days: number, hour: number): RetentionItem =>
    capture(new Date(NOW - days * DAY - hour * HOUR).toISOString())
  const often = Array.from({ length: 40 }, (_, day) => [daysAgo(day, 1), daysAgo(day, 2)]).flat()
  const found = retain(often, NOW, DEFAULT_RETENTION).kept.map(({ item }) => item)
  expect(found).toHaveLength(20 + 20)
  expect(found.slice(0, 14)).toEqual(often.slice(0, 14))
  const seldom = Array.from({ length: 25 }, (_, day) => daysAgo(400 + day * 0.01, 0))
  expect(retain(seldom, NOW, DEFAULT_RETENTION).kept).toHaveLength(20)
})

describe("whatever the snapshots, the time and the policy", () => {
  const time = fc.integer({ min: NOW - 60 * DAY, max: NOW + 2 * DAY })
  const item = fc.record({
    ref: fc.uuid(),
    createdMs: time,
    kind: fc.constantFrom("capture" as const, "safety" as const),
  })
  const items = fc.uniqueArray(item, { selector: ({ ref }) => ref, maxLength: 40 })
  const count = fc.nat(12)
  const policy: fc.Arbitrary<RetentionPolicy> = fc
    .record(
      { keepLast: count, keepWithinMs: fc.nat(70 * DAY), keepHourly: count, keepDaily: count, keepWeekly: count },
      { requiredKeys: [] },
    )
    .filter((rules) => Object.keys(rules).length > 0)
  const refsOf = (list: readonly RetentionItem[], rules: RetentionPolicy, nowMs: number): Set<string> =>
    new Set(retain(list, nowMs, rules).kept.map(({ item: { ref } }) => ref))

  test("each snapshot either stays, with a reason, or goes; newest first", () => {
    fc.assert(
      fc.property(items, time, policy, (list, nowMs, rules) => {
        const result = retain(list, nowMs, rules)
        const stays = result.kept.map(({ item: each }) => each)
        expect([...stays, ...result.removed].map(({ ref }) => ref).toSorted()).toEqual(
          list.map(({ ref }) => ref).toSorted(),
        )
        for (const { reasons } of result.kept) expect(reasons.length).toBeGreaterThan(0)
        for (const half of [stays, result.removed])
          for (const [at, each] of half.entries())
            expect(each.createdMs).toBeLessThanOrEqual(half[at - 1]?.createdMs ?? Number.POSITIVE_INFINITY)
      }),
    )
  })

  test("the newest capture, the newest of all and a day's safety snapshots stay", () => {
    fc.assert(
      fc.property(items, time, policy, (list, nowMs, rules) => {
        const left = retain(list, nowMs, rules).removed
        const captures = list.filter(({ kind }) => kind === "capture")
        for (const group of [list, captures]) {
          const newest = Math.max(...group.map(({ createdMs }) => createdMs))
          if (group.length > 0)
            expect(group.some((each) => each.createdMs === newest && !left.includes(each))).toBe(true)
        }
        for (const { kind, createdMs } of left) expect(kind === "capture" || nowMs - createdMs > DAY).toBe(true)
      }),
    )
  })

  test("a policy that asks for more keeps all that the other keeps", () => {
    fc.assert(
      fc.property(items, time, policy, policy, (list, nowMs, one, other) => {
        const more: Record<string, number> = { ...one }
        for (const [rule, value] of Object.entries(other)) more[rule] = Math.max(more[rule] ?? 0, value)
        const keptByMore = refsOf(list, more, nowMs)
        for (const ref of refsOf(list, one, nowMs)) expect(keptByMore.has(ref)).toBe(true)
        for (const ref of refsOf(list, other, nowMs)) expect(keptByMore.has(ref)).toBe(true)
      }),
    )
  })

  test("what stays once stays when the same policy is applied again", () => {
    fc.assert(
      fc.property(items, time, policy, (list, nowMs, rules) => {
        const left = retain(list, nowMs, rules).kept.map(({ item: each }) => each)
        expect(retain(left, nowMs, rules).removed).toEqual([])
      }),
    )
  })

  test("the order of the list does not matter", () => {
    fc.assert(
      fc.property(items, time, policy, (list, nowMs, rules) => {
        expect(retain(list.toReversed(), nowMs, rules)).toEqual(retain(list, nowMs, rules))
      }),
    )
  })
})

describe("a policy that is none", () => {
  const refused = (policy: unknown): unknown => {
    try {
      return retain([], NOW, policy as RetentionPolicy)
    } catch (error) {
      return error instanceof SnapshotError && error.code === "INVALID_ARGUMENT" ? error.details : error
    }
  }

  test.each([[{}], [{ keepLast: undefined }], [null], [undefined], ["keepLast"], [[]]])("%j is refused", (policy) => {
    expect(refused(policy)).toEqual({ argument: "policy" })
  })

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, "3", null, true, 3n])(
    "a rule of %s is refused",
    (value) => {
      for (const rule of ["keepLast", "keepWithinMs", "keepHourly", "keepDaily", "keepWeekly", "maxBytes"])
        expect(refused({ keepLast: 5, [rule]: value })).toEqual({ argument: rule })
    },
  )

  test("a rule that is not known is refused: it might have kept something", () => {
    expect(refused({ keepLast: 1, keepDayly: 30 })).toEqual({ argument: "keepDayly" })
  })
})
