import { utf8 } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import { settleAll } from "../core/settle-all.js"
import type { CapturedTree, Glance } from "../core/tree-capture.js"
import type { CaptureOptions, CaptureResult } from "../snapshot-store.js"
import { leaseLost } from "../store/lease.js"
import { manifestOid } from "../store/object-sink.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import type { CaptureSession, SessionRequest } from "./capture-session.js"
import type { StoreContext } from "./context.js"
import { currentView, viewOf } from "./snapshot-view.js"

/** Makes a snapshot of the work tree; gives the newest one again when nothing changed and nothing is to be noted. */
export async function capture(store: StoreContext, options: CaptureOptions = {}): Promise<CaptureResult> {
  const { label, metadata = {} } = options
  checkNotes(label, metadata)
  options.signal?.throwIfAborted()
  const startedMs = performance.now()
  const noted = label !== undefined || Object.keys(metadata).length > 0
  const result = async (
    captured: CapturedTree,
    stored: StoredSnapshot,
    written?: CaptureSession["written"],
    seedProblem?: string,
  ): Promise<CaptureResult> => {
    store.treeCapture.save()
    const { objects, bytes } = written?.() ?? { objects: 0, bytes: 0 }
    const durationMs = performance.now() - startedMs
    const stats = {
      ...captured.stats,
      objectsWritten: objects,
      bytesWritten: bytes,
      durationMs,
      ...(seedProblem === undefined ? {} : { seedProblem }),
    }
    const changed = written !== undefined
    // Nobody has pinned what was not there before.
    const snapshot = changed ? viewOf(stored, false) : await currentView(store, stored)
    return { snapshot, changed, skipped: captured.manifest.skipped, stats }
  }
  // While threads compare the work tree with what is known, there is time to find the newest snapshot.
  const [glance, newest] = await settleAll([store.treeCapture.glance(), noted ? undefined : newestCapture(store)])
  options.signal?.throwIfAborted()
  const unchanged = newest === undefined ? undefined : await ifUnchanged(store, newest, glance)
  if (unchanged !== undefined) return result(unchanged.captured, unchanged.snapshot)
  const { signal, onProgress } = options
  return withSession(store, { signal, onProgress, glance }, async (session) => {
    const same = noted ? undefined : await newestIfSame(store, session)
    if (same !== undefined) return result(session.captured, same)
    const stored = await session.publish({ kind: "capture", label, metadata })
    return stored === undefined ? undefined : result(session.captured, stored, session.written, session.seedProblem)
  })
}

/** Runs `step` on a session, and on a new one each time that it gives undefined because maintenance gave up on it. */
export async function withSession<Value>(
  store: StoreContext,
  request: SessionRequest,
  step: (session: CaptureSession) => Promise<Value | undefined>,
): Promise<Value> {
  const { beginSession } = await import("./capture-session.js")
  for (let attempt = 0; attempt < SESSIONS; attempt++) {
    const session = await beginSession(store, attempt === 0 ? request : { ...request, glance: undefined })
    try {
      const value = await step(session)
      if (value !== undefined) return value
    } finally {
      await session.discard()
    }
  }
  throw leaseLost()
}

const SESSIONS = 4

const LABEL_LIMIT = 4096

const METADATA_LIMIT_BYTES = 64 * 1024

function checkNotes(label: string | undefined, metadata: Readonly<Record<string, string>>): void {
  const refuse = (argument: string, message: string): never => {
    throw new SnapshotError("INVALID_ARGUMENT", message, { argument })
  }
  if (label !== undefined && (typeof label !== "string" || label.length > LABEL_LIMIT))
    refuse("label", `A label is a text of at most ${LABEL_LIMIT} characters.`)
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata))
    refuse("metadata", "Metadata is an object of texts.")
  for (const value of Object.values(metadata))
    if (typeof value !== "string")
      refuse("metadata", "Every value of metadata is a text. Turn other values into texts first.")
  if (utf8(JSON.stringify(metadata)).length > METADATA_LIMIT_BYTES)
    refuse("metadata", `Metadata takes at most ${METADATA_LIMIT_BYTES} bytes. Keep the rest elsewhere.`)
}

/** The newest capture, if nothing changed in the work tree since this process or another one found it like that. */
async function ifUnchanged(
  store: StoreContext,
  snapshot: StoredSnapshot,
  glance: Glance | undefined,
): Promise<{ readonly snapshot: StoredSnapshot; readonly captured: CapturedTree } | undefined> {
  const captured = glance?.unchanged(snapshot.commit.tree)
  if (captured === undefined) return undefined
  const manifest = await manifestOid(store.platform.hasher, captured.manifest)
  if (snapshot.commit.parents[0] !== manifest || (await store.log.at(snapshot.ref)) === undefined) return undefined
  return { snapshot, captured }
}

async function newestCapture(store: StoreContext): Promise<StoredSnapshot | undefined> {
  for await (const snapshot of store.log.newestFirst(store.workspace))
    if (snapshot.record.kind === "capture") return snapshot.record.scope === store.scope ? snapshot : undefined
  return undefined
}

/** The newest capture, if it says exactly what this session found and is still there. */
async function newestIfSame(store: StoreContext, session: CaptureSession): Promise<StoredSnapshot | undefined> {
  const snapshot = await newestCapture(store)
  const { tree, parents } = snapshot?.commit ?? { parents: [] }
  if (snapshot === undefined || tree !== session.captured.tree || parents[0] !== session.manifest) return undefined
  if (!(await isWhole(store, session))) return undefined
  return (await store.log.at(snapshot.ref)) === undefined ? undefined : snapshot
}

/** Whether the store holds all that the session found, although its base did not reach it. */
async function isWhole(store: StoreContext, session: CaptureSession): Promise<boolean> {
  const written = [...session.writtenOids()]
  return (await store.objects.present(written, "pass-over")).size === written.length
}
