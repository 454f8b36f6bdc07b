/*
 * Captures, a maintenance run and a reader on one store in memory, one step at a time in an order that the caller chooses,
 * and what has to be true afterwards, whatever the order.
 */
import { SnapshotError, type ErrorCode } from "../../src/core/errors.js"
import type { FileSystem } from "../../src/core/file-system.js"
import type { OwnerSource } from "../../src/core/owner.js"
import type { CaptureResult, SnapshotStore } from "../../src/snapshot-store.js"
import { folderOf } from "./described-folder.js"
import { writeFolder } from "./disk.js"
import { faultyFileSystem, type AroundCall, type FileSystemCall } from "./faulty-file-system.js"
import { interleave, type Actor } from "./interleave.js"
import {
  brokenRefs,
  CHECK,
  copyOf,
  GITDIR,
  leftovers,
  newMemory,
  storeOn,
  type Memory,
  type StoreOnOptions,
} from "./store-on.js"

/** `one` builds on the newest snapshot, `other` on nothing that is in it; the maintenance lets all go but the newest. */
export type Racer = "one" | "other" | "maintenance" | "reader"

/** Who takes part, and how. */
export interface RaceOptions {
  /** Default: two captures and the maintenance. */
  readonly racers?: readonly Racer[]
  /** Whether the owner of a lease counts as dead for the maintenance; asked for each lease. */
  readonly isDead?: () => boolean
  /** The maintenance ends, as if killed, before this call of its own. */
  readonly killedAt?: number
  /** The maintenance forgets the older snapshot of `one` instead, so that it leaves nothing unreached in any pack. */
  readonly forgets?: boolean
  /** The maintenance packs refs of snapshots when there are so many. Default: as many as usual, which is more than there are. */
  readonly refsToPack?: number
  /** What the maintenance puts in place as packed-refs is lost: wrong, to see whether a test would notice. */
  readonly losePackedRefs?: boolean
  /** The maintenance sees no leases at all: wrong, to see whether a test would notice. */
  readonly ignoreLeases?: boolean
  /** Only calls that others can tell of are steps: far fewer orders, and the same results. */
  readonly sharedOnly?: boolean
}

/** What a race came to. */
export interface RaceReport {
  /** What is wrong in the end. */
  readonly problems: readonly string[]
  /** How often the reader found a snapshot gone, and looked again. */
  readonly failedReads: number
}

/** Two folders that share nothing, so that what the one's snapshots need is not kept by the other's. */
export const ONE = "/work/one"
const OTHER = "/work/other"

const ALL: readonly Racer[] = ["one", "other", "maintenance"]

/** A store with two snapshots, and changes in both work trees that nobody has captured. */
export async function raceStart(): Promise<Memory> {
  const start = newMemory()
  writeFolder(start.disk, ONE, folderOf({ "a.txt": "a", dir: { "b.txt": "b" } }))
  writeFolder(start.disk, OTHER, folderOf({ "c.txt": "c" }))
  const store = await storeOn(start.fileSystem, { worktree: ONE, retention: false })
  await store.capture()
  // The next capture of it builds on this one, and changes only a little.
  start.disk.fs.writeFileSync(`${ONE}/new.txt`, "new")
  await store.capture()
  await store.close()
  start.disk.fs.writeFileSync(`${ONE}/new.txt`, "newer")
  return start
}

/** As `raceStart`, with so many more snapshots, of another work tree, that their packs are folded. */
export async function foldingStart(): Promise<Memory> {
  const start = await raceStart()
  const store = await storeOn(start.fileSystem, { worktree: OTHER, retention: false })
  for (let i = 0; i < 9; i++) {
    start.disk.fs.writeFileSync(`${OTHER}/c.txt`, `${"one line after the other\n".repeat(20)}${i}`)
    await store.capture()
  }
  await store.close()
  start.disk.fs.writeFileSync(`${OTHER}/c.txt`, "c")
  return start
}

/** Runs a race from `start`, which stays as it is. */
export async function race(
  start: Memory,
  choose: (ready: readonly Racer[], made: ReadonlyMap<Racer, number>) => Racer,
  options: RaceOptions = {},
): Promise<RaceReport> {
  const { racers = ALL, sharedOnly = false } = options
  const memory = copyOf(start)
  const seen: Seen = { published: [], problems: [], letGo: new Set(), failedReads: 0 }
  const makers: Readonly<Record<Racer, () => Promise<Runner>>> = {
    one: () => capturing(memory, seen, "one", ONE),
    other: () => capturing(memory, seen, "other", OTHER),
    maintenance: () => maintaining(memory, seen, options),
    reader: () => reading(memory, seen),
  }
  const runners: Runner[] = []
  for (const racer of racers) runners.push(await makers[racer]())
  await interleave(runners, choose, sharedOnly ? isShared : undefined)
  for (const { store, gate } of runners) {
    gate.around = (_call, make) => make()
    await store.close()
  }
  await check(memory, seen, options)
  return { problems: seen.problems, failedReads: seen.failedReads }
}

/**
 * A capture that is held up before its `stop`-th shared call. Meanwhile its folder changes and is captured by somebody else,
 * what it would build on is let go, maintenance comes to where it would remove it, and the folder changes back. Then the
 * capture goes on, and maintenance last. Gives what is wrong in the end; undefined when the capture made fewer calls.
 */
export async function overtaken(start: Memory, stop: number): Promise<readonly string[] | undefined> {
  const memory = copyOf(start)
  const { store, gate } = await gatedStore(memory.fileSystem, ONE)
  let made = 0
  let goOn: (() => Promise<void>) | undefined
  let interlude: Promise<void> | undefined
  gate.around = async (call, make) => {
    if (isShared(call) && ++made >= stop) await (interlude ??= passOver(memory).then((rest) => void (goOn = rest)))
    return make()
  }
  await store.capture({ label: "overtaken" })
  gate.around = (_call, make) => make()
  await goOn?.()
  await store.close()
  return goOn === undefined ? undefined : brokenRefs(CHECK, memory.fileSystem, GITDIR)
}

/** Gives what lets maintenance go on to its end. */
async function passOver({ disk, fileSystem }: Memory): Promise<() => Promise<void>> {
  const before = disk.fs.readFileSync(`${ONE}/a.txt`)
  disk.fs.rmSync(`${ONE}/dir`, { recursive: true })
  disk.fs.writeFileSync(`${ONE}/a.txt`, "something else")
  const { store, gate } = await gatedStore(fileSystem, ONE)
  await store.capture()
  await store.prune({ keepLast: 0 })
  let remove = (): void => {}
  const removal = new Promise<void>((resolve) => (remove = resolve))
  const held = new Promise<void>((resolve) => {
    gate.around = async (call, make) => {
      if (call.kind === "unlink" && call.path.startsWith(`${GITDIR}/objects/`)) {
        resolve()
        await removal
      }
      return make()
    }
  })
  const maintained = store.maintain()
  await Promise.race([held, maintained])
  disk.fs.writeFileSync(`${ONE}/a.txt`, before)
  writeFolder(disk, ONE, folderOf({ dir: { "b.txt": "b" } }))
  return async () => {
    remove()
    await maintained
    await store.close()
  }
}

interface Runner extends Actor<Racer>, Gated {}

/** What is known of a race while it runs. */
interface Seen {
  readonly published: CaptureResult[]
  readonly problems: string[]
  /** The names of the snapshots that maintenance has removed. */
  readonly letGo: Set<string>
  failedReads: number
}

/**
 * Whether it matters to the others when the call is made. It does not for files that nobody else knows yet (only maintenance
 * looks at those, and removes them), for what nobody changes, for a file that is open, and for the lock that only
 * maintenance takes.
 */
export function isShared({ kind, path }: FileSystemCall): boolean {
  if (!path.startsWith(`${GITDIR}/`) || PRIVATE.test(path)) return false
  if (path.startsWith(`${GITDIR}/tmp/`)) return kind === "unlink" || kind === "rename"
  return kind === "file.write" || (!kind.startsWith("file.") && kind !== "syncFolder" && kind !== "makeFolder")
}

const PRIVATE = /\/(?:config|HEAD|packed-refs\.lock)$|\/(?:locks|restores|stat-cache)\b/

async function capturing(memory: Memory, seen: Seen, name: "one" | "other", worktree: string): Promise<Runner> {
  const { store, gate } = await gatedStore(memory.fileSystem, worktree)
  return {
    name,
    store,
    gate,
    async run(around) {
      gate.around = around
      try {
        seen.published.push(await store.capture({ label: name }))
      } catch (error) {
        if (!(error instanceof SnapshotError)) throw error
        seen.problems.push(`${name} failed: ${error.message}`)
      }
    },
  }
}

/** Lets all snapshots go but the newest, or forgets one, and collects. */
async function maintaining(memory: Memory, seen: Seen, options: RaceOptions): Promise<Runner> {
  const { isDead = () => false, ignoreLeases, refsToPack, killedAt = Number.POSITIVE_INFINITY } = options
  const files = ignoreLeases === true ? withoutLeases(memory.fileSystem) : memory.fileSystem
  const { store, gate } = await gatedStore(files, ONE, {
    platform: { owner: ownerWhere(isDead) },
    ...(refsToPack === undefined ? {} : { refsToPack }),
  })
  return {
    name: "maintenance",
    store,
    gate,
    async run(around) {
      let made = 0
      gate.around = (call, make) => {
        if (++made >= killedAt) return Promise.reject(new Error("killed"))
        return around(call, () => noting(memory, seen, options, call, make))
      }
      try {
        if (options.forgets === true) await store.forget((await store.list()).at(-1)?.id ?? "")
        else await store.prune({ keepLast: 0 })
        await store.maintain()
      } catch (error) {
        if (made < killedAt) throw error
      }
    },
  }
}

/** Makes a call of the maintenance, and notes which snapshots have no ref any more after it, loose or packed. */
async function noting<T>(
  memory: Memory,
  { letGo }: Seen,
  { losePackedRefs = false }: RaceOptions,
  call: FileSystemCall,
  make: () => Promise<T>,
): Promise<T> {
  const isOfRefs = call.path.startsWith(`${GITDIR}/refs/snapshots/`) || call.path === PACKED_REFS
  if (!isOfRefs || (call.kind !== "unlink" && call.kind !== "rename")) return make()
  const before = snapshotRefs(memory)
  const made = await make()
  if (losePackedRefs && call.path === PACKED_REFS) memory.disk.fs.unlinkSync(PACKED_REFS)
  const after = snapshotRefs(memory)
  if (!losePackedRefs) for (const ref of before) if (!after.has(ref)) letGo.add(ref)
  return made
}

/** The names of the refs of snapshots, loose and packed. */
function snapshotRefs({ disk }: Memory): Set<string> {
  const isPacked = disk.names(GITDIR).includes("packed-refs")
  const packed = isPacked ? Buffer.from(disk.fs.readFileSync(PACKED_REFS)).toString() : ""
  const names = new Set<string>(packed.match(/refs\/snapshots\/\S+/g))
  for (const workspace of disk.names(`${GITDIR}/refs/snapshots`))
    for (const name of disk.names(`${GITDIR}/refs/snapshots/${workspace}`))
      names.add(`refs/snapshots/${workspace}/${name}`)
  return names
}

const PACKED_REFS = `${GITDIR}/packed-refs`

/** Compares and plans; what it finds let go meanwhile it looks for again. */
async function reading(memory: Memory, seen: Seen): Promise<Runner> {
  const { store, gate } = await gatedStore(memory.fileSystem, ONE)
  const once = async (): Promise<void> => {
    const listed = await store.list()
    const [newest, oldest] = [listed[0], listed.at(-1)]
    if (newest === undefined || oldest === undefined) throw new Error("the list was empty")
    const paths = (await store.diff(oldest.id, newest.id)).map(({ path }) => path)
    if (oldest.id === newest.id && paths.length > 0)
      seen.problems.push(`a snapshot differs from itself: ${paths.join()}`)
    const plan = await store.plan({ to: oldest.id })
    if (plan.tree !== oldest.tree) seen.problems.push("the plan is about another tree")
  }
  return {
    name: "reader",
    store,
    gate,
    async run(around) {
      gate.around = around
      for (let attempt = 0; ; attempt++)
        try {
          return await once()
        } catch (error) {
          const isExpected = error instanceof SnapshotError && LET_GO.has(error.code)
          // One prune lets snapshots go once.
          if (!isExpected || attempt > 0) {
            seen.problems.push(`the reader failed: ${String(error)}`)
            return
          }
          seen.failedReads++
        }
    },
  }
}

/** What reading a snapshot that was just let go may come to. */
const LET_GO: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["NOT_FOUND", "OBJECT_MISSING"])

async function check(memory: Memory, seen: Seen, { killedAt, isDead }: RaceOptions): Promise<void> {
  const { problems, published, letGo } = seen
  problems.push(...(await brokenRefs(CHECK, memory.fileSystem, GITDIR)))
  await checkListed(memory, seen)
  if (published.length > 0 && published.every(({ snapshot }) => letGo.has(snapshot.ref)))
    problems.push("every snapshot that was published was let go")
  if (killedAt !== undefined || isDead !== undefined) await maintainAgain(memory, problems)
}

/** All have ended by now: whoever maintains next knows it, and has to find what they left. */
async function maintainAgain(memory: Memory, problems: string[]): Promise<void> {
  const later = await storeOn(memory.fileSystem, {
    worktree: ONE,
    retention: false,
    platform: { owner: ownerWhere(() => true) },
    clock: { nowMs: () => Date.now() + 2 * DAY_MS },
  })
  try {
    await later.maintain()
  } catch (error) {
    problems.push(`the next maintenance failed: ${String(error)}`)
  }
  await later.close()
  problems.push(...(await brokenRefs(CHECK, memory.fileSystem, GITDIR)).map((problem) => `${problem}, after the next`))
  problems.push(...(await leftovers(memory.fileSystem, GITDIR)).map((path) => `${path} is left`))
}

/** What a capture gave is listed, unless maintenance let it go; the newest of all can have been let go by nobody. */
async function checkListed(memory: Memory, { published, letGo, problems }: Seen): Promise<void> {
  const store = await storeOn(memory.fileSystem, { worktree: ONE, retention: false })
  const listed = (await store.list({ kind: "all" })).map(({ ref }) => ref)
  await store.close()
  for (const { snapshot } of published)
    if (!listed.includes(snapshot.ref) && !letGo.has(snapshot.ref)) problems.push(`${snapshot.ref} is not listed`)
  const newest = published
    .map(({ snapshot }) => snapshot.ref)
    .toSorted()
    .at(-1)
  if (newest !== undefined && listed[0] !== newest) problems.push(`the newest, ${newest}, is not there`)
}

function ownerWhere(isDead: () => boolean): OwnerSource {
  return { current: () => Promise.resolve({}), isAlive: () => Promise.resolve(isDead() ? "dead" : "alive") }
}

function withoutLeases(inner: FileSystem): FileSystem {
  return new Proxy(inner, {
    get(target, name): unknown {
      if (name === "list") return async (path: string) => (path.endsWith("/leases") ? [] : target.list(path))
      const value: unknown = Reflect.get(target, name)
      return typeof value === "function" ? value.bind(target) : value
    },
  })
}

/** A store whose calls can be held up. */
export interface Gated {
  readonly store: SnapshotStore
  /** How the store's calls are made from now on. */
  readonly gate: { around: AroundCall }
}

export async function gatedStore(
  fileSystem: FileSystem,
  worktree: string,
  options: StoreOnOptions = {},
): Promise<Gated> {
  const gate: { around: AroundCall } = { around: (_call, make) => make() }
  const files = faultyFileSystem(fileSystem, [], (call, make) => gate.around(call, make))
  return { store: await storeOn(files, { worktree, retention: false, ...options }), gate }
}

const DAY_MS = 86_400_000
