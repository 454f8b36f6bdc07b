/*
 * Makes something of each changed file's contents. A thread takes a part of the files where there is one, and the calling
 * thread the others, a few at a time each: whoever has time takes the next.
 */
import { changeBetween, type Change, type FileVersion } from "../core/change.js"
import type { DiffContent, DiffQuestion } from "../core/differ.js"
import type { Oid } from "../core/oid.js"
import type { RepoPath } from "../core/path.js"
import { settleAll } from "../core/settle-all.js"
import { pauses } from "../core/turns.js"
import type { StoreContext } from "./context.js"
import { bytesOf, type ReadContents, type Side } from "./side.js"

/** What to make of changed files. */
export interface DiffMaker<Value> {
  /** Of one, on the calling thread. */
  one(change: Change, before: Uint8Array | undefined, after: Uint8Array | undefined): Promise<Value> | Value
  /** Of some, on another one; undefined for each that is left to `one`, and as a whole. */
  readonly some?: (questions: readonly DiffQuestion[]) => Promise<readonly (Value | undefined)[] | undefined>
}

/** The two sides, and the files that differ. */
export interface Compared {
  readonly before: Side
  readonly after: Side
  readonly changes: readonly Change[]
}

/** What `maker` gives for each change, in order; nothing for one that is none any more. */
export async function makeDiffs<Value>(
  store: StoreContext,
  compared: Compared,
  maker: DiffMaker<Value>,
  signal: AbortSignal | undefined,
): Promise<Value[]> {
  const { before, after, changes } = compared
  const { differ } = store.platform
  const contents = readAhead(store, compared)
  const made = new Array<Value | undefined>(changes.length)
  const pause = pauses()
  let next = 0
  let ended = false

  /** Undefined when the work tree has moved on since it was compared: what is shown is what was read. */
  async function questionOf(at: number): Promise<DiffQuestion | undefined> {
    signal?.throwIfAborted()
    const change = changes[at] as Change
    const read = await contents(at)
    const old = await contentOf(before, change.path, change.before, read)
    const now = await contentOf(after, change.path, change.after, read)
    const current = changeBetween(change.path, old?.version, now?.version)
    return current && { change: current, before: old?.content, after: now?.content }
  }

  async function makeHere({ change, before: old, after: now }: DiffQuestion): Promise<Value> {
    const bytes = (content: DiffContent): Promise<Uint8Array> | Uint8Array | undefined => bytesOf(store, content)
    return maker.one(change, await bytes(old), await bytes(now))
  }

  /** A file that takes long goes to the thread, even when it has to be started for it. */
  async function makeOne(question: DiffQuestion): Promise<Value> {
    if (differ !== undefined && maker.some !== undefined && lengthOf(question) > LONG_BYTES) {
      differ.expect()
      const [value] = (await differ.ready()) ? ((await maker.some([question])) ?? []) : []
      if (value !== undefined) return value
    }
    return makeHere(question)
  }

  async function here(): Promise<void> {
    while (next < changes.length && !ended) {
      const at = next
      next += SLICE
      for (let i = at; i < Math.min(at + SLICE, changes.length) && !ended; i++) {
        await pause()
        const question = await questionOf(i)
        if (question !== undefined) made[i] = await makeOne(question)
      }
    }
  }

  async function there(whenDone: Promise<unknown>): Promise<void> {
    if (differ === undefined || maker.some === undefined) return
    if ((await Promise.race([differ.ready(), whenDone])) !== true) return
    while (next < changes.length && !ended) {
      const at = next
      next += SLICE
      const questions: DiffQuestion[] = []
      const places: number[] = []
      for (let i = at; i < Math.min(at + SLICE, changes.length); i++) {
        const question = await questionOf(i)
        if (question === undefined) continue
        questions.push(question)
        places.push(i)
      }
      const answers = await maker.some(questions)
      for (const [i, question] of questions.entries())
        made[places[i] as number] = answers?.[i] ?? (await makeHere(question))
    }
  }

  if (changes.length >= MANY_CHANGES) differ?.expect()
  const unlessFailed = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => {
      ended = true
      throw error
    })
  const working = unlessFailed(here())
  const whenDone = working.catch(() => undefined)
  try {
    await settleAll([working, ...Array.from({ length: SLICES_AHEAD }, () => unlessFailed(there(whenDone)))])
  } finally {
    // Nothing may be read any more when the call is over.
    await contents.end()
  }
  return made.filter((value): value is Value => value !== undefined)
}

/** A thread is worth its start, of some 40 ms, from here on. */
export const MANY_CHANGES = 128
/** So many are taken at a time. */
const SLICE = 16
/** One is compared by the thread while the next waits for it. */
const SLICES_AHEAD = 2
/** To compare so much may hold up the event loop for longer than a turn. */
const LONG_BYTES = 512 * 1024

function lengthOf({ before, after }: DiffQuestion): number {
  const length = (content: DiffContent): number =>
    content === undefined ? 0 : "entry" in content ? content.entry.length : content.length
  return length(before) + length(after)
}

interface ContentsAhead {
  /** The contents that could be read together, of the change at a place and those around it. */
  (at: number): Promise<ReadContents>
  /** Resolves when nothing is being read any more. */
  end(): Promise<void>
}

/** Reads short contents for many changes at once, and for the next ones ahead. */
function readAhead(store: StoreContext, { before, after, changes }: Compared): ContentsAhead {
  const reading = new Map<number, Promise<ReadContents>>()
  const read = (group: number): Promise<ReadContents> => {
    const known = reading.get(group)
    if (known !== undefined) return known
    const oids = storedOids(before, after, changes.slice(group * READ_AT_ONCE, (group + 1) * READ_AT_ONCE))
    const begun = store.platform.unpacker === undefined ? readUnpacked(store, oids) : store.objects.packedTogether(oids)
    // Whoever waits for it is told of a failure.
    begun.catch(() => {})
    reading.set(group, begun)
    return begun
  }
  const ahead = (at: number): Promise<ReadContents> => {
    const group = Math.floor(at / READ_AT_ONCE)
    if ((group + 1) * READ_AT_ONCE < changes.length) void read(group + 1)
    // Slices are taken in order and held by few: nobody is so far behind.
    reading.delete(group - 2)
    return read(group)
  }
  return Object.assign(ahead, { end: async () => void (await Promise.allSettled(reading.values())) })
}

const READ_AT_ONCE = 128

async function readUnpacked(store: StoreContext, oids: readonly Oid[]): Promise<ReadContents> {
  const objects = await store.objects.readTogether(oids)
  return new Map([...objects].flatMap(([oid, { type, bytes }]) => (type === "blob" ? [[oid, bytes] as const] : [])))
}

function storedOids(before: Side, after: Side, changes: readonly Change[]): Oid[] {
  return changes.flatMap((change) => [
    ...(before.isStored && change.before ? [change.before.oid as Oid] : []),
    ...(after.isStored && change.after ? [change.after.oid as Oid] : []),
  ])
}

function contentOf(
  side: Side,
  path: string,
  version: FileVersion | undefined,
  read: ReadContents,
): ReturnType<Side["content"]> {
  return version === undefined ? Promise.resolve(undefined) : side.content(path as RepoPath, version, read)
}
