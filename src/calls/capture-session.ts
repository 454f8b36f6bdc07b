/*
 * A capture from its lease to its publication:
 *
 *   C1 take a lease that names the base          C4 publish the pack, synced
 *   C2 read the base's ref again                 C5 rename the lease's fence to the snapshot's ref
 *   C3 build, counting on the base and the pack  C6 release the lease
 *
 * A lease that a collector revoked publishes nothing; the capture starts over then.
 */
import { errnoOf } from "../core/errors.js"
import { isPlain } from "../core/manifest.js"
import type { Oid } from "../core/oid.js"
import type { RepoPath } from "../core/path.js"
import type { OnProgress } from "../core/progress.js"
import { randomHex } from "../core/random.js"
import { baselineRef } from "../core/ref-name.js"
import { settleAll } from "../core/settle-all.js"
import { refOf, snapshotCommit, type SnapshotRecord } from "../core/snapshot-commit.js"
import type { CapturedTree, Glance } from "../core/tree-capture.js"
import type { Base } from "../store/base.js"
import { takeLease, type Lease } from "../store/lease.js"
import { packSink, type PackSink } from "../store/object-sink.js"
import { packWriter, type PackWriter } from "../store/pack-writer.js"
import type { SeedPacks } from "../store/seed-packs.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import { markUnsynced, syncUnsynced, unmarkUnsynced } from "../store/unsynced.js"
import type { StoreContext } from "./context.js"
import { takeSeed, type CaptureSeed } from "./seed.js"
import { baseAt, findNewest, trackedBy } from "./tracked.js"

/** What to build. */
export interface SessionRequest {
  /** Files that are exempt from the new-file limit beside those of the base. */
  readonly alsoTracked?: (path: RepoPath) => Promise<boolean>
  /** A look at the work tree that was just taken. */
  readonly glance?: Glance | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
}

/** The work tree as it was captured, not published yet. One of publish and discard has to be called. */
export interface CaptureSession {
  readonly captured: CapturedTree
  /** The commit of the manifest; undefined when the snapshot needs none. */
  readonly manifest: Oid | undefined
  /** The newest snapshot of the workspace when the session began. */
  readonly newest: StoredSnapshot | undefined
  /** Makes it a snapshot. Undefined when maintenance gave up on the session: begin another. */
  publish(terms: SnapshotTerms): Promise<StoredSnapshot | undefined>
  /** Drops it; nothing stays behind. */
  discard(): Promise<void>
  readonly written: () => { readonly objects: number; readonly bytes: number }
  /** Why the user's own repository could not be used, for people. */
  readonly seedProblem: string | undefined
  /** The objects that the base does not reach, or that are missing from the store. */
  readonly writtenOids: () => Iterable<Oid>
}

/** What a snapshot says beside its tree. */
export interface SnapshotTerms {
  readonly kind: SnapshotRecord["kind"]
  /** Of a safety snapshot: the tree that the restore is to write. */
  readonly target?: Oid | undefined
  readonly label?: string | undefined
  readonly metadata: Readonly<Record<string, string>>
}

/** Reads the work tree into a pack of its own. */
export async function beginSession(store: StoreContext, request: SessionRequest): Promise<CaptureSession> {
  const { lease, base, newest } = await leaseOnBase(store)
  const writer = newPack(store, lease)
  let seeded: CaptureSeed | undefined
  const discard = async (): Promise<void> => {
    await writer.discard()
    await seeded?.packs?.discard()
    await lease.release()
  }
  try {
    seeded = base === undefined ? await takeSeed(store, lease, request.signal) : undefined
    const reaches = base?.reaches ?? seeded?.reaches ?? new Set<Oid>()
    const sink = packSink({ ...store.platform, loadGit: store.loadGit }, writer, reaches, seeded?.seed !== undefined)
    const captured = await store.treeCapture.capture(
      {
        isTracked: await trackedBy(store, base, request.alsoTracked),
        base,
        glance: request.glance,
        seed: seeded?.seed,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
        ...(request.onProgress === undefined ? {} : { onProgress: request.onProgress }),
      },
      sink,
    )
    const manifest = isPlain(captured.manifest) ? undefined : await sink.addManifest(captured.manifest)
    request.signal?.throwIfAborted()
    return {
      captured,
      manifest,
      newest,
      seedProblem: seeded?.problem,
      discard,
      writtenOids: () => writer.oids(),
      written: () => ({ objects: writer.count, bytes: writer.bytesWritten }),
      async publish(terms) {
        try {
          return await publish(store, { lease, writer, sink, seeds: seeded?.packs, newest, captured, manifest }, terms)
        } finally {
          await discard()
        }
      },
    }
  } catch (error) {
    await discard()
    throw error
  }
}

interface Leased {
  readonly lease: Lease
  readonly base: Base | undefined
  readonly newest: StoredSnapshot | undefined
}

async function leaseOnBase(store: StoreContext): Promise<Leased> {
  for (;;) {
    const { ofAny: newest, inScope: found } = await findNewest(store)
    const lease = await takeLease({
      fileSystem: store.platform.fileSystem,
      refs: store.refs,
      leases: store.layout.leases,
      temporary: store.layout.temporary,
      owner: await store.platform.owner.current(),
      base: found === undefined ? undefined : { ref: found.ref, oid: found.id },
      createdMs: store.platform.clock.nowMs(),
      durable: store.durable,
    })
    try {
      if (found === undefined) return { lease, base: undefined, newest }
      // A base that went between being found and being leased may be collected already.
      if ((await store.refs.read(found.ref)) === found.id) return { lease, base: await baseAt(store, found), newest }
      await lease.release()
    } catch (error) {
      await lease.release()
      throw error
    }
  }
}

function newPack(store: StoreContext, lease: Lease): PackWriter {
  return packWriter({
    fileSystem: store.platform.fileSystem,
    hasher: store.platform.hasher,
    deflater: store.platform.deflater,
    temporaryFolder: store.layout.temporary,
    packFolder: store.layout.packs,
    name: `pack-${lease.id}${randomHex(4)}`,
    durable: store.durable,
  })
}

interface Built {
  readonly lease: Lease
  readonly writer: PackWriter
  readonly sink: PackSink
  readonly seeds: SeedPacks | undefined
  readonly newest: StoredSnapshot | undefined
  readonly captured: CapturedTree
  readonly manifest: Oid | undefined
}

async function publish(store: StoreContext, built: Built, terms: SnapshotTerms): Promise<StoredSnapshot | undefined> {
  const { lease, writer, sink, seeds, newest, captured, manifest } = built
  const { fileSystem, clock } = store.platform
  const record: SnapshotRecord = {
    kind: terms.kind,
    workspace: store.workspace,
    // Never before its predecessor, whatever the clock says: order is by time.
    createdMs: Math.max(clock.nowMs(), newest === undefined ? 0 : newest.record.createdMs + 1),
    skipped: captured.manifest.skipped.length,
    ...(newest === undefined ? {} : { previous: newest.id }),
    ...(terms.target === undefined ? {} : { target: terms.target }),
    ...(store.scope === undefined ? {} : { scope: store.scope }),
    ...(terms.label === undefined ? {} : { label: terms.label }),
    metadata: terms.metadata,
    nonce: randomHex(8),
  }
  const commit = snapshotCommit(record, captured.tree, manifest)
  const id = await sink.addCommit(commit)
  const ref = refOf(record)
  if (store.durable) await syncUnsynced(fileSystem, store.layout, store.refs)
  await seeds?.synced()
  // Their names are synced with that of the capture's own pack.
  if (!(await isPutInPlace(lease, writer))) return undefined
  if (!store.durable) await markUnsynced(fileSystem, store.layout, lease.id, ref)
  // From here on the ref may be there, whatever fails.
  seeds?.keep()
  let isPublished = false
  try {
    isPublished = (await lease.publish(id, ref)) === "published"
  } finally {
    if (!isPublished && !store.durable) await unmarkUnsynced(fileSystem, store.layout, lease.id)
  }
  if (!isPublished) return undefined
  await settleAll([
    store.whole.note(id),
    // The snapshot stands; a hint that could not be moved takes nothing from it.
    moveBaseline(store, { id, ref, record }, newest).catch(() => {}),
    lease.release(),
  ])
  return { id, ref, commit, record }
}

/** Puts the pack in place; false when maintenance gave up on the lease, and took the pack's temporary files with it. */
async function isPutInPlace(lease: Lease, writer: PackWriter): Promise<boolean> {
  try {
    await writer.publish()
    return true
  } catch (error) {
    if (errnoOf(error) === "ENOENT" && (await lease.isRevoked())) return false
    throw error
  }
}

/** The baseline only moves forward in time. It is a hint: a capture that finds it behind still builds on the newest. */
async function moveBaseline(
  store: StoreContext,
  { id, ref: snapshot, record }: Omit<StoredSnapshot, "commit">,
  newest: StoredSnapshot | undefined,
): Promise<void> {
  const ref = baselineRef(store.workspace, store.scope)
  const known = await store.refs.read(ref).catch(() => undefined)
  // Mostly it is at the snapshot before this one, which has been read.
  const current =
    known === undefined || known === newest?.id ? newest : await store.log.withId(known).catch(() => undefined)
  if (known !== undefined && current !== undefined && current.record.createdMs > record.createdMs) return
  await store.refs.write(ref, id, store.durable)
  // Where maintenance gave up on this capture, the snapshot may be collected by now. Later, the baseline counts for it.
  if ((await store.refs.read(snapshot)) !== id && (await store.refs.read(ref)) === id) await store.refs.removeLoose(ref)
}
