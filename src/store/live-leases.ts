/*
 * The leases as maintenance reads them: those of live owners name what their captures count on, the others are revoked.
 */
import { lossyText } from "../core/bytes.js"
import { fileMs, type FileSystem } from "../core/file-system.js"
import { toOid } from "../core/oid.js"
import { toOwner, type Owner } from "../core/owner.js"
import { toRefName } from "../core/ref-name.js"
import { removeIfThere } from "./atomic-file.js"
import type { LeaseBase } from "./lease.js"
import type { CountsAsAlive } from "./liveness.js"

/** The leases that count: by id, what each builds on. */
export type LiveLeases = ReadonlyMap<string, LeaseBase | undefined>

/** Whether a file's name says that it belongs to the capture of one of these: it may still be written. */
export function carriesLease(leases: LiveLeases, name: string): boolean {
  for (const id of leases.keys()) if (name.includes(id)) return true
  return false
}

/** Reads the leases in `folder`, and revokes those of dead owners and those whose terms are damaged. */
export async function readLeases(fileSystem: FileSystem, folder: string, isAlive: CountsAsAlive): Promise<LiveLeases> {
  const { live, ended } = await lookAtLeases(fileSystem, folder, isAlive)
  for (const id of ended) await revoke(fileSystem, folder, id)
  return live
}

/** The leases in a folder, as they are. */
export interface LeaseLook {
  readonly live: LiveLeases
  /** The ids of those of dead owners, and of those whose terms are damaged. */
  readonly ended: readonly string[]
}

/** Reads the leases in `folder`, and changes nothing. */
export async function lookAtLeases(fileSystem: FileSystem, folder: string, isAlive: CountsAsAlive): Promise<LeaseLook> {
  const live = new Map<string, LeaseBase | undefined>()
  const ended: string[] = []
  const ids = new Set<string>()
  for (const { name, kind } of (await fileSystem.list(folder)) ?? []) {
    if (kind === "folder") continue
    const id = /^([0-9a-f]{32})\.(?:ref|json)$/.exec(name)?.[1]
    if (id !== undefined) ids.add(id)
  }
  for (const id of ids) {
    const terms = await readTerms(fileSystem, folder, id)
    if (terms === "gone") continue
    if (terms !== "damaged" && (await isAlive(terms.owner, terms.createdMs))) live.set(id, terms.base)
    else ended.push(id)
  }
  return { live, ended }
}

interface LeaseTerms {
  readonly owner: Owner
  readonly createdMs: number
  readonly base: LeaseBase | undefined
}

/**
 * What a lease says. One without terms has not looked at its base yet: nobody can be asked about it, so it counts as of
 * an unknown owner. Terms appear as a whole, so damaged ones come from before a crash, or from a power cut. What is no
 * file, or far too large, was made by no capture.
 */
async function readTerms(fileSystem: FileSystem, folder: string, id: string): Promise<LeaseTerms | "gone" | "damaged"> {
  const path = `${folder}/${id}.json`
  const stat = await fileSystem.lstat(path)
  if (stat !== undefined && (stat.kind !== "file" || stat.sizeBytes > LARGEST_BYTES)) return "damaged"
  const bytes = await fileSystem.readFile(path)
  if (bytes !== undefined) return parseTerms(lossyText(bytes)) ?? "damaged"
  const fence = await fileSystem.lstat(`${folder}/${id}.ref`)
  if (fence === undefined) return "gone"
  return { owner: {}, createdMs: fileMs(fence), base: undefined }
}

function parseTerms(text: string): LeaseTerms | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== "object" || value === null) return undefined
  const { owner, createdMs, base } = value as Readonly<Record<string, unknown>>
  if (typeof createdMs !== "number") return undefined
  if (base === undefined) return { owner: toOwner(owner), createdMs, base }
  const { ref, oid } = (base ?? {}) as Readonly<Record<string, unknown>>
  const found = { ref: toRefName(String(ref)), oid: toOid(String(oid)) }
  if (found.ref === undefined || found.oid === undefined) return undefined
  return { owner: toOwner(owner), createdMs, base: { ref: found.ref, oid: found.oid } }
}

/** The fence first: without it the lease publishes nothing any more. */
async function revoke(fileSystem: FileSystem, folder: string, id: string): Promise<void> {
  await removeUnlessFolder(fileSystem, `${folder}/${id}.ref`)
  await removeUnlessFolder(fileSystem, `${folder}/${id}.json`)
}

/** A folder is nothing that a capture made: it stays, and is in nobody's way. */
async function removeUnlessFolder(fileSystem: FileSystem, path: string): Promise<void> {
  if ((await fileSystem.lstat(path))?.kind !== "folder") await removeIfThere(fileSystem, path)
}

/** Terms have some hundred bytes. */
const LARGEST_BYTES = 64 * 1024
