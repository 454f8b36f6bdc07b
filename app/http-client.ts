/*
 * A store over HTTP, as docs/SERVER.md describes the API.
 */
import type {
  CaptureResult,
  Change,
  FileDiff,
  PruneReport,
  RestorePlan,
  RestoreReport,
  RevertOptions,
  Snapshot,
  SnapshotSummary,
  StoreEvents,
  StoreStatus,
  VerifyReport,
} from "../src/snapshot-store.js"
import type { Connection, StoreClient } from "./client.js"
import { listeners } from "./http/listeners.js"
import { openLink } from "./http/link.js"
import { send, type Request } from "./http/request.js"
import { reviveCapture, revivePrune, reviveReport, reviveSnapshot, reviveStatus, type Json } from "./http/revive.js"
import { disconnected, StoreError } from "./http/store-error.js"

/** A store that a server holds. */
export interface HttpClient {
  readonly client: StoreClient
  readonly connection: Connection
}

/** Starts to look for the server at once; `place` is where its address is to be asked for. */
export function httpClient(place: URL): HttpClient {
  const events = listeners()
  let worktree = ""
  const link = openLink(place, (name, data) => {
    if (name === "hello") ({ worktree } = data as { readonly worktree: string })
    else tell(name, data)
  })

  function tell(name: string, data: unknown): void {
    if (name === "captured") events.tell(name, reviveCapture(data as Json<CaptureResult>))
    else if (name === "restored" || name === "recovered") events.tell(name, reviveReport(data as Json<RestoreReport>))
    else if (name === "progress" || name === "maintained") events.tell(name, data as StoreEvents[typeof name])
  }

  async function ask(request: Request): Promise<Response> {
    const { address } = link
    if (address === undefined) throw disconnected()
    try {
      return await send(address, request)
    } catch (error) {
      if (error instanceof StoreError || request.signal?.aborted === true) throw error
      link.doubt()
      throw disconnected(error)
    }
  }

  async function askJson<Value>(request: Request): Promise<Json<Value>> {
    return (await (await ask(request)).json()) as Json<Value>
  }

  async function report(path: string, body: object, signal?: AbortSignal): Promise<RestoreReport> {
    return reviveReport(await askJson<RestoreReport>({ method: "POST", path, body, signal }))
  }

  const client: StoreClient = {
    get worktree() {
      return worktree
    },
    async capture({ label, metadata, signal } = {}) {
      const request: Request = { method: "POST", path: "snapshots", body: { label, metadata }, signal }
      return reviveCapture(await askJson<CaptureResult>(request))
    },
    async list({ kind, limit, since, until } = {}) {
      const query = { kind, limit, since: since?.toISOString(), until: until?.toISOString() }
      return (await askJson<readonly Snapshot[]>({ path: "snapshots", query })).map(reviveSnapshot)
    },
    async changes(from, to, { paths, globs } = {}) {
      const query = { from, to: sideOf(to), path: paths, glob: globs }
      return (await askJson<Change[]>({ path: "changes", query })) as Change[]
    },
    // By POST, since the paths of a batch may be longer than an address can be.
    async diff(from, to, { paths, globs, context, signal } = {}) {
      const body = { from, to: sideOf(to), paths, globs, context }
      return (await askJson<FileDiff[]>({ method: "POST", path: "diff", body, signal })) as FileDiff[]
    },
    async readFile(rev, path) {
      try {
        return new Uint8Array(await (await ask({ path: "file", query: { rev, path } })).arrayBuffer())
      } catch (error) {
        if (error instanceof StoreError && error.code === "NOT_FOUND") return undefined
        throw error
      }
    },
    async plan(target, options = {}) {
      const body = { target, options: plain(options) }
      return (await askJson<RestorePlan>({ method: "POST", path: "plan", body, signal: options.signal })) as RestorePlan
    },
    apply: (plan, options) => report("apply", { plan }, options?.signal),
    restore: (rev, options = {}) => report("restore", { rev, options: plain(options) }, options.signal),
    revert: (from, to, options = {}) => report("revert", { from, to, options: plain(options) }, options.signal),
    undo: (options) => report("undo", {}, options?.signal),
    redo: (options) => report("redo", {}, options?.signal),
    async pin(rev, pinned = true) {
      await ask({ method: pinned ? "PUT" : "DELETE", path: `snapshots/${encodeURIComponent(rev)}/pin` })
    },
    async forget(rev) {
      await ask({ method: "DELETE", path: `snapshots/${encodeURIComponent(rev)}` })
    },
    async prune(policy, { dryRun } = {}) {
      return revivePrune(await askJson<PruneReport>({ method: "POST", path: "prune", body: { policy, dryRun } }))
    },
    async verify({ repair, signal } = {}) {
      const request: Request = { method: "POST", path: "verify", body: { repair }, signal }
      return (await askJson<VerifyReport>(request)) as VerifyReport
    },
    async status() {
      return reviveStatus(await askJson<StoreStatus>({ path: "status" }))
    },
    async summary(rev) {
      return askJson<SnapshotSummary>({ path: `snapshots/${encodeURIComponent(rev)}/summary` })
    },
    on: events.on,
    async close() {
      link.close()
    },
  }

  return { client, connection: link }
}

/** The API's work tree is where no other side is named. */
function sideOf(to: string | undefined): string | undefined {
  return to === "worktree" ? undefined : to
}

/** What of the options is JSON. */
function plain({ paths, globs, added, merge }: RevertOptions): object {
  return { paths, globs, added, merge }
}
