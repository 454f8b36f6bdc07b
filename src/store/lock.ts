/*
 * A lock is a file that only one process can make:
 *
 *   locks/<name>             who holds it, since when, and a token that is never used again
 *   locks/<name>.<token>     who took it over from the holder with that token, whose process has ended; and so on
 *
 * Whoever makes the last file of such a chain holds the lock. Two that find the same dead holder try to make the same
 * file, so only one wins. The first file of a chain goes first when the lock is released: a chain whose first file is
 * still the one that was read is whole, and a file that was added to an older chain is found out by that.
 */
import { lossyText, utf8 } from "../core/bytes.js"
import { errnoOf, isSnapshotError, SnapshotError } from "../core/errors.js"
import { fileMs, type FileKind, type FileSystem } from "../core/file-system.js"
import { describeOwner, toOwner, type Owner } from "../core/owner.js"
import { randomHex } from "../core/random.js"
import { createExclusively, removeIfThere } from "./atomic-file.js"
import type { CountsAsAlive } from "./liveness.js"

/** A lock that is held. */
export interface Lock {
  /** Ends it. Never throws: what cannot be removed holds the lock until this process ends. */
  release(): Promise<void>
}

/** What a lock needs to be taken. */
export interface LockRequest {
  readonly fileSystem: FileSystem
  /** The folder of the locks, which has to be there. */
  readonly locks: string
  readonly temporary: string
  readonly name: string
  readonly owner: Owner
  readonly nowMs: number
  readonly isAlive: CountsAsAlive
}

/** Takes the lock. One that a dead process left is taken over; one of a live process: LOCK_HELD. */
export async function takeLock(request: LockRequest): Promise<Lock> {
  const { fileSystem, locks, temporary, name, owner, nowMs } = request
  const first = `${locks}/${name}`
  const content = utf8(`${JSON.stringify({ token: randomHex(16), createdMs: nowMs, owner })}\n`)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const dead = await deadHolders(request, "remove")
    if (dead === undefined) continue
    const own = pathBehind(first, dead)
    if (!(await createExclusively(fileSystem, temporary, own, content))) continue
    try {
      if (dead[0] === undefined || (await readHolder(fileSystem, first, "remove"))?.token === dead[0].token)
        return await heldLock(request, [...dead.map((_, at) => pathBehind(first, dead.slice(0, at))), own])
    } catch (error) {
      await removeIfThere(fileSystem, own).catch(() => {})
      throw error
    }
    await removeIfThere(fileSystem, own)
  }
  throw lockHeld(name, {}, nowMs)
}

/** Whether a live process holds the lock. Changes nothing. */
export async function isHeld(
  request: Pick<LockRequest, "fileSystem" | "locks" | "name" | "isAlive">,
): Promise<boolean> {
  try {
    await deadHolders(request, "look")
    return false
  } catch (error) {
    if (isSnapshotError(error, "LOCK_HELD")) return true
    throw error
  }
}

interface Holder {
  readonly token: string
  readonly createdMs: number
  readonly owner: Owner
}

/**
 * The chain of holders that ended without releasing the lock; empty when nobody holds it. Undefined when it changes
 * meanwhile. A live holder: LOCK_HELD.
 */
async function deadHolders(
  { fileSystem, locks, name, isAlive }: Pick<LockRequest, "fileSystem" | "locks" | "name" | "isAlive">,
  emptyFolders: EmptyFolders,
): Promise<readonly Holder[] | undefined> {
  const chain: Holder[] = []
  for (;;) {
    const holder = await readHolder(fileSystem, pathBehind(`${locks}/${name}`, chain), emptyFolders)
    if (holder === undefined) return chain
    if (await isAlive(holder.owner, holder.createdMs))
      throw lockHeld(name, holder.owner, holder.createdMs, pathBehind(`${locks}/${name}`, chain))
    // Tokens are never used again: a circle is of somebody's making.
    if (chain.some(({ token }) => token === holder.token)) return undefined
    chain.push(holder)
  }
}

/** The file that follows these holders. */
function pathBehind(first: string, holders: readonly Holder[]): string {
  const last = holders.at(-1)
  return last === undefined ? first : `${first}.${last.token}`
}

/** What becomes of empty folders in the place of locks, which are nobody's and bar nobody. */
type EmptyFolders = "remove" | "look"

/**
 * Who made the lock file at `path`; undefined when it is not there. A file that is not whole, or far too large, was made
 * by nobody who can be checked. What is no file was made by nobody who takes locks: an empty folder counts as nothing,
 * others are IO_FAILED.
 */
async function readHolder(
  fileSystem: FileSystem,
  path: string,
  emptyFolders: EmptyFolders,
): Promise<Holder | undefined> {
  const stat = await fileSystem.lstat(path)
  if (stat === undefined) return undefined
  if (stat.kind === "folder") {
    const isGone = emptyFolders === "remove" ? isRemoved(fileSystem, path) : isEmpty(fileSystem, path)
    if (await isGone) return undefined
  }
  if (stat.kind !== "file") throw notALock(path, stat.kind)
  const bytes = stat.sizeBytes > LARGEST_BYTES ? new Uint8Array() : await fileSystem.readFile(path)
  if (bytes === undefined) return undefined
  const { token, createdMs, owner } = parsed(lossyText(bytes))
  if (typeof token === "string" && /^[0-9a-f]{32}$/.test(token) && typeof createdMs === "number")
    return { token, createdMs, owner: toOwner(owner) }
  return { token: `${stat.mtimeNs}`, createdMs: fileMs(stat), owner: {} }
}

/** Removes an empty folder, which is nobody's lock and of no use to anybody. False: it is not empty. */
async function isRemoved(fileSystem: FileSystem, path: string): Promise<boolean> {
  try {
    await fileSystem.removeFolder(path)
    return true
  } catch (error) {
    // Another one has removed it first, and may have taken the lock by now.
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return true
    if (errnoOf(error) === "ENOTEMPTY") return false
    throw error
  }
}

async function isEmpty(fileSystem: FileSystem, path: string): Promise<boolean> {
  return ((await fileSystem.list(path)) ?? []).length === 0
}

function parsed(text: string): Partial<Record<keyof Holder, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? value : {}
  } catch {
    return {}
  }
}

/** `paths` is the chain, the own file last. */
async function heldLock({ fileSystem, locks, name }: LockRequest, paths: readonly string[]): Promise<Lock> {
  const remove = async (path: string): Promise<void> => {
    await removeIfThere(fileSystem, path).catch(() => removeIfThere(fileSystem, path))
  }
  // Left by those that were killed while they released the lock: nobody holds any of them.
  const items = (await fileSystem.list(locks).catch(() => undefined)) ?? []
  for (const item of items)
    if (item.name.startsWith(`${name}.`) && !paths.includes(`${locks}/${item.name}`))
      await remove(`${locks}/${item.name}`).catch(() => {})
  return {
    async release() {
      try {
        for (const path of paths) await remove(path)
      } catch {
        // The work under the lock is done, and counts.
      }
    },
  }
}

/** `path` is the file of a holder who may be nobody, or may be taken for a later process with the same pid. */
function lockHeld(lock: string, owner: Owner, sinceMs: number, path?: string): SnapshotError<"LOCK_HELD"> {
  const since = Number.isFinite(sinceMs) && Math.abs(sinceMs) < LAST_DATE_MS ? new Date(sinceMs).toISOString() : "then"
  const holder = `${describeOwner(owner)} since ${since}`
  const advice = path === undefined ? "" : adviceFor(owner, path)
  return new SnapshotError(
    "LOCK_HELD",
    `The ${lock} lock of this store is held by ${holder}. Try again when that has ended.${advice}`,
    { lock, holder },
  )
}

function adviceFor({ pid, startTime }: Owner, path: string): string {
  if (pid === undefined)
    return ` Nobody can be asked whether it has: delete ${path} if nothing works on this store any more.`
  return startTime === undefined ? ` Delete ${path} if that process is another program by now.` : ""
}

function notALock(path: string, kind: FileKind): SnapshotError<"IO_FAILED"> {
  return new SnapshotError(
    "IO_FAILED",
    `The lock cannot be taken: ${path} is no lock file, but ${KINDS[kind].what}. Move it away and try again.`,
    { action: "take the lock", path, errno: KINDS[kind].errno },
  )
}

/** What stands in the place of a file, and how the system would refuse it. */
const KINDS: Readonly<Record<FileKind, { readonly what: string; readonly errno: string }>> = {
  file: { what: "a file", errno: "EINVAL" },
  folder: { what: "a folder", errno: "EISDIR" },
  link: { what: "a symbolic link", errno: "ELOOP" },
  special: { what: "a fifo, a socket or a device", errno: "ENXIO" },
}
/** Lock files have some hundred bytes. */
const LARGEST_BYTES = 64 * 1024

/** So often in a row would others have to take or release it in between. */
const ATTEMPTS = 64
/** The last time that a Date can hold. */
const LAST_DATE_MS = 8.64e15
