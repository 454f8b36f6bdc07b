/*
 * The patches of changed files, loaded as they come into view: some together, since each call looks at both sides anew.
 */
import { signal, type ReadonlySignal, type Signal } from "@preact/signals"
import type { Change, FileDiff, FileVersion } from "../../src/snapshot-store.js"
import type { StoreClient } from "../client.js"
import type { Range } from "./comparison.js"
import { LOADING, ready, type Loaded } from "./loaded.js"
import { problemOf } from "./problem.js"

/** The patches of one comparison after the other. */
export interface Patches {
  of(range: Range, change: Change): ReadonlySignal<Loaded<FileDiff | undefined>>
  /** Asks for it unless it is there, until the function that it returns is called. */
  want(range: Range, change: Change): () => void
}

interface Wanted {
  readonly range: Range
  readonly change: Change
}

export function patches(client: StoreClient): Patches {
  const known = new Map<string, Signal<Loaded<FileDiff | undefined>>>()
  const wanted = new Map<string, Wanted>()
  let running = 0
  let isPlanned = false

  function of(range: Range, change: Change): Signal<Loaded<FileDiff | undefined>> {
    const key = keyOf(range, change)
    const found = known.get(key) ?? signal<Loaded<FileDiff | undefined>>(LOADING)
    known.delete(key)
    known.set(key, found)
    for (const oldest of known.keys()) {
      if (known.size <= MOST_KEPT) break
      known.delete(oldest)
    }
    return found
  }

  /** Waits for the others of the same turn. */
  function plan(): void {
    if (isPlanned) return
    isPlanned = true
    setTimeout(() => {
      isPlanned = false
      while (running < AT_ONCE && wanted.size > 0) void loadNext()
    })
  }

  async function loadNext(): Promise<void> {
    const [first] = wanted.values()
    if (first === undefined) return
    const { range } = first
    const batch = [...wanted].filter(([, one]) => sameRange(one.range, range)).slice(0, BATCH)
    for (const [key] of batch) wanted.delete(key)
    running += 1
    const paths = batch.map(([, { change }]) => change.path)
    try {
      const found = new Map((await client.diff(range.from, range.to, { paths })).map((diff) => [diff.path, diff]))
      for (const [, { change }] of batch) of(range, change).value = ready(found.get(change.path))
    } catch (error) {
      for (const [, { change }] of batch) of(range, change).value = { state: "failed", problem: problemOf(error) }
    } finally {
      running -= 1
      plan()
    }
  }

  return {
    of,
    want(range, change) {
      const patch = of(range, change)
      const key = keyOf(range, change)
      if (patch.peek().state === "ready" || wanted.has(key)) return () => {}
      wanted.set(key, { range, change })
      plan()
      return () => wanted.delete(key)
    },
  }
}

/** A patch is the same as long as both contents are, whatever else changes in the folder. */
function keyOf({ from, to }: Range, { path, before, after }: Change): string {
  return JSON.stringify([from, to, path, versionOf(before), versionOf(after)])
}

function versionOf(version: FileVersion | undefined): string {
  return version === undefined ? "" : `${version.mode} ${version.oid}`
}

function sameRange(a: Range, b: Range): boolean {
  return a.from === b.from && a.to === b.to
}

const BATCH = 16
const AT_ONCE = 2
const MOST_KEPT = 600
