import { utf8 } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import type { CaptureOptions, CaptureResult } from "../snapshot-store.js"
import { leaseLost } from "../store/lease.js"
import type { StoredSnapshot } from "../store/snapshot-log.js"
import { beginSession, type CaptureSession, type SessionRequest } from "./capture-session.js"
import type { StoreContext } from "./context.js"
import { viewOf } from "./snapshot-view.js"

/** Makes a snapshot of the work tree; gives the newest one again when nothing changed and nothing is to be noted. */
export async function capture(store: StoreContext, options: CaptureOptions = {}): Promise<CaptureResult> {
  const { label, metadata = {} } = options
  checkNotes(label, metadata)
  options.signal?.throwIfAborted()
  const startedMs = performance.now()
  const noted = label !== undefined || Object.keys(metadata).length > 0
  const result = (session: CaptureSession, stored: StoredSnapshot, changed: boolean): CaptureResult => {
    const { objects, bytes } = changed ? session.written() : { objects: 0, bytes: 0 }
    const durationMs = performance.now() - startedMs
    const stats = { ...session.captured.stats, objectsWritten: objects, bytesWritten: bytes, durationMs }
    return { snapshot: viewOf(stored), changed, skipped: session.captured.manifest.skipped, stats }
  }
  return withSession(store, { signal: options.signal, onProgress: options.onProgress }, async (session) => {
    const same = noted ? undefined : await newestIfSame(store, session)
    if (same !== undefined) return result(session, same, false)
    const stored = await session.publish({ kind: "capture", label, metadata })
    return stored === undefined ? undefined : result(session, stored, true)
  })
}

/** Runs `step` on a session, and on a new one each time that it gives undefined because maintenance gave up on it. */
export async function withSession<Value>(
  store: StoreContext,
  request: SessionRequest,
  step: (session: CaptureSession) => Promise<Value | undefined>,
): Promise<Value> {
  for (let attempt = 0; attempt < SESSIONS; attempt++) {
    const session = await beginSession(store, request)
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

/** The newest capture, if it says exactly what this session found and is still there. */
async function newestIfSame(store: StoreContext, session: CaptureSession): Promise<StoredSnapshot | undefined> {
  for await (const snapshot of store.log.newestFirst(store.workspace)) {
    if (snapshot.record.kind !== "capture") continue
    const { tree, parents } = snapshot.commit
    const same =
      tree === session.captured.tree && parents[0] === session.manifest && snapshot.record.scope === store.scope
    if (!same || !(await isWhole(store, session))) return undefined
    return (await store.log.at(snapshot.ref)) === undefined ? undefined : snapshot
  }
  return undefined
}

/** Whether the store holds all that the session found, although its base did not reach it. */
async function isWhole(store: StoreContext, session: CaptureSession): Promise<boolean> {
  const written = [...session.writtenOids()]
  return (await store.objects.present(written)).size === written.length
}
