/*
 * A lease tells a collector what a running capture counts on. It is two files:
 *
 *   leases/<id>.ref    the fence: empty until the capture publishes, then the snapshot's ref-to-be
 *   leases/<id>.json   who holds it, and on which base it builds
 *
 * The fence is renamed to the snapshot's ref. A collector that gives up on a lease removes the fence first, so either
 * the rename comes first and the snapshot is published, or it fails and nothing is: one file cannot be both renamed
 * and removed. The file named .json appears as a whole, after the fence.
 */
import { utf8 } from "../core/bytes.js"
import { errnoOf, SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import type { Oid } from "../core/oid.js"
import type { Owner } from "../core/owner.js"
import { randomHex } from "../core/random.js"
import type { RefName } from "../core/ref-name.js"
import { removeIfThere, writeAtomically } from "./atomic-file.js"
import { refContent, type Refs } from "./refs.js"

/** What a capture builds on. */
export interface LeaseBase {
  readonly ref: RefName
  readonly oid: Oid
}

/** A lease that is held. */
export interface Lease {
  /** 32 hex digits; the capture's pack is named after it. */
  readonly id: string
  /** Makes `oid` the snapshot at `ref`. "revoked" when a collector has given up on this lease: nothing was published. */
  publish(oid: Oid, ref: RefName): Promise<"published" | "revoked">
  /** Whether a collector has given up on this lease, which was not published. */
  isRevoked(): Promise<boolean>
  /** Ends the lease. Tries again what failed when it is called again; what cannot be removed is left to maintenance. */
  release(): Promise<void>
}

/** What a lease needs to be taken. */
export interface LeaseRequest {
  readonly fileSystem: FileSystem
  readonly refs: Refs
  readonly leases: string
  readonly temporary: string
  readonly owner: Owner
  readonly base: LeaseBase | undefined
  readonly createdMs: number
  readonly durable: boolean
}

/** Takes a lease. */
export async function takeLease(request: LeaseRequest): Promise<Lease> {
  const { fileSystem, refs, leases, durable } = request
  const id = randomHex(16)
  const fence = `${leases}/${id}.ref`
  const terms = `${leases}/${id}.json`
  const { owner, base, createdMs } = request
  const left = new Set<string>()
  const isRevoked = async (): Promise<boolean> => (await fileSystem.lstat(fence)) === undefined
  const release = async (): Promise<void> => {
    for (const path of left)
      await removeIfThere(fileSystem, path).then(
        () => left.delete(path),
        () => {},
      )
  }
  const file = await fileSystem.open(fence, "create")
  left.add(fence).add(terms)
  try {
    await file.close()
    const text = JSON.stringify({ id, createdMs, owner, base })
    await writeAtomically(fileSystem, request.temporary, terms, utf8(`${text}\n`), false)
  } catch (error) {
    await release()
    throw error
  }
  return {
    id,
    async publish(oid, ref) {
      try {
        await fill(fileSystem, fence, refContent(oid), durable)
        await refs.adopt(fence, ref, durable)
        left.delete(fence)
        return "published"
      } catch (error) {
        if (errnoOf(error) === "ENOENT" && (await isRevoked())) return "revoked"
        throw error
      }
    },
    isRevoked,
    release,
  }
}

async function fill(fileSystem: FileSystem, fence: string, content: Uint8Array, durable: boolean): Promise<void> {
  const file = await fileSystem.open(fence, "update")
  try {
    await file.write(content, 0)
    if (durable) await file.sync()
  } finally {
    await file.close()
  }
}

/** For a capture whose lease was revoked again and again. */
export function leaseLost(): SnapshotError<"IO_FAILED"> {
  return new SnapshotError(
    "IO_FAILED",
    "The capture was given up by maintenance each time it was tried. Capture again.",
    {
      action: "publish the snapshot",
      path: "leases",
      errno: "ESTALE",
    },
  )
}
