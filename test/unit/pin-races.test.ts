/*
 * Pinning a snapshot while another process lets it go, call by call: it is pinned and stays, or it is gone and the pin is
 * refused.
 */
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest"
import { isSnapshotError } from "../../src/core/errors.js"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { faultyFileSystem, type AroundCall } from "../support/faulty-file-system.js"
import { interleave } from "../support/interleave.js"
import { brokenRefs, CHECK, copyOf, GITDIR, newMemory, storeOn, WORKTREE } from "../support/store-on.js"

const start = newMemory()
let target = ""
beforeAll(async () => {
  start.disk.fs.mkdirSync(WORKTREE, { recursive: true })
  const store = await storeOn(start.fileSystem)
  for (const text of ["one", "two", "three"]) {
    start.disk.fs.writeFileSync(`${WORKTREE}/a`, text)
    const { snapshot } = await store.capture()
    if (target === "") target = snapshot.id
  }
  await store.close()
})

// Whoever waits for a lock tries again at once.
beforeEach(() => void vi.stubGlobal("setTimeout", (step: () => void) => setImmediate(step)))
afterEach(() => void vi.unstubAllGlobals())

type Name = "pin" | "remove"

/** One process makes so many calls, then the other one some, and both the rest in turns. */
async function run(
  remove: (store: SnapshotStore) => Promise<unknown>,
  first: Name,
  calls: number,
): Promise<{ pin: string; removal: string; listed: boolean; pinned: boolean; problems: string[]; made: number }> {
  const memory = copyOf(start)
  const platform = { owner: { current: async () => ({}), isAlive: async () => "alive" as const } }
  const outcomes: Record<Name, string> = { pin: "", remove: "" }
  const actor = async (
    name: Name,
    work: (store: SnapshotStore) => Promise<unknown>,
  ): Promise<{ name: Name; run: (around: AroundCall) => Promise<void> }> => {
    const gate: { around: AroundCall } = { around: (_call, make) => make() }
    const store = await storeOn(
      faultyFileSystem(memory.fileSystem, [], (call, make) => gate.around(call, make)),
      {
        platform,
      },
    )
    return {
      name,
      async run(around) {
        gate.around = around
        outcomes[name] = await work(store).then(
          () => "done",
          (error: unknown) => (isSnapshotError(error, "LOCK_HELD") ? "LOCK_HELD" : codeOf(error)),
        )
        gate.around = (_call, make) => make()
      },
    }
  }
  const actors = [await actor("pin", (store) => store.pin(target)), await actor("remove", remove)]
  let made = 0
  let turns = 0
  await interleave(actors, (ready, counts) => {
    made = counts.get(first) ?? 0
    const other = first === "pin" ? "remove" : "pin"
    // In turns at the end: each may wait for the other one.
    const rest = turns++ % 2 === 0 ? first : other
    const turn = made < calls ? first : (counts.get(other) ?? 0) < WHILE ? other : rest
    return ready.includes(turn) ? turn : (ready[0] as Name)
  })
  const store = await storeOn(memory.fileSystem, { platform })
  const found = (await store.list()).find(({ id }) => id === target)
  const problems = await brokenRefs(CHECK, memory.fileSystem, GITDIR)
  const pinned = memory.disk.fs.readdirSync(`${GITDIR}/refs`).map(String).includes("pins")
  const left = pinned ? memory.disk.names(`${GITDIR}/refs/pins/project`).length > 0 : false
  return { pin: outcomes.pin, removal: outcomes.remove, listed: found !== undefined, pinned: left, problems, made }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code ?? error)
}

/** So many calls the other one makes in between: enough to get to the lock. */
const WHILE = 24

test.each([
  ["prune", (store: SnapshotStore) => store.prune({ keepLast: 1 })],
  ["forget", (store: SnapshotStore) => store.forget(target)],
])(
  "whenever %s comes, a pin that was made holds, or the snapshot is gone and none is left",
  async (what, remove) => {
    const seen = new Set<string>()
    for (const first of ["pin", "remove"] as const)
      for (let calls = 0, total = 1; calls < total; calls += calls < 24 ? 1 : 4) {
        const { pin, removal, listed, pinned, problems, made } = await run(remove, first, calls)
        total = made
        seen.add(`${pin} ${removal} ${listed ? "listed" : "gone"}`)
        expect(problems).toEqual([])
        // A pin is never left without its snapshot, and one that was told of as made is there unless it was forgotten.
        expect({ first, calls, listed, pinned }).toMatchObject({ listed: pinned || listed })
        if (pin === "done" && what === "prune")
          expect({ first, calls, listed, pinned }).toMatchObject({ listed: true, pinned: true })
        if (pin === "NOT_FOUND")
          expect({ first, calls, listed, pinned }).toMatchObject({ listed: false, pinned: false })
      }
    expect([...seen].some((line) => line.startsWith("NOT_FOUND done gone"))).toBe(true)
    expect([...seen].some((line) => line.startsWith("done"))).toBe(true)
  },
  120_000,
)
