/*
 * Automatic maintenance: after a capture has been told of, where enough has come together since the last time. It delays
 * no capture, and a process that ends in the middle of it leaves a whole store.
 */
import { DEFAULT_RETENTION, type RetentionPolicy } from "../core/retention.js"
import type { MaintainReport, PruneReport } from "../snapshot-store.js"
import { askToCompact, readMaintenance } from "../store/maintenance-note.js"
import { packFiles } from "../store/pack-files.js"
import { readOwnFiles } from "../store/own-files.js"
import { ownBytes } from "../store/stored-bytes.js"
import type { StoreContext } from "./context.js"

/** What automatic maintenance does, one after the other. */
export interface TendSteps {
  readonly prune: (policy: RetentionPolicy) => Promise<PruneReport>
  readonly maintain: (signal: AbortSignal) => Promise<MaintainReport>
  readonly onMaintained: (report: MaintainReport) => void
}

/** Looks after one open store. */
export class Tender {
  readonly #store: StoreContext
  readonly #policy: RetentionPolicy | undefined
  readonly #steps: TendSteps
  readonly #abort = new AbortController()
  #running: Promise<void> | undefined
  /** Since it was last looked whether it is due. */
  #hasCaptured = false
  /** What failed is not tried again before that. */
  #restsUntilMs = 0

  /** `retention` as OpenOptions has it. */
  constructor(store: StoreContext, retention: RetentionPolicy | false | undefined, steps: TendSteps) {
    this.#store = store
    this.#policy = retention === false ? undefined : (retention ?? DEFAULT_RETENTION)
    this.#steps = steps
  }

  /** To be called when a capture has been answered. */
  captured(): void {
    if (this.#policy === undefined || this.#abort.signal.aborted) return
    this.#hasCaptured = true
    this.#running ??= this.#follow(this.#policy).finally(() => {
      this.#running = undefined
      if (this.#hasCaptured) this.captured()
    })
  }

  /** What was captured while maintenance ran may be enough for another run. */
  async #follow(policy: RetentionPolicy): Promise<void> {
    while (this.#hasCaptured) {
      this.#hasCaptured = false
      await this.#runIfDue(policy)
    }
  }

  /** Ends what is under way; the store is whole. */
  async close(): Promise<void> {
    this.#abort.abort()
    await this.#running
  }

  /** Never rejects: nobody asked for it, and it is tried again. */
  async #runIfDue(policy: RetentionPolicy): Promise<void> {
    const { signal } = this.#abort
    const { clock } = this.#store.platform
    try {
      if (clock.nowMs() < this.#restsUntilMs || !(await this.isDue()) || signal.aborted) return
      await this.#run(policy, signal)
    } catch {
      // Another process may be at it, or something is damaged, which verify tells of.
      this.#restsUntilMs = clock.nowMs() + REST_MS
    }
  }

  async #run(policy: RetentionPolicy, signal: AbortSignal): Promise<void> {
    const { maxBytes, ...rules } = policy
    if (Object.values(rules).some((rule) => rule !== undefined)) await this.#steps.prune(rules)
    const { platform, layout } = this.#store
    if (maxBytes !== undefined && (await this.#ownBytes()) > maxBytes) await askToCompact(platform.fileSystem, layout)
    await this.#maintain(signal)
    if (maxBytes === undefined) return
    // Deltas, and what was unreached, may have made room. Deltas may have bases that nothing else needs, which do not count
    // beforehand: the cap is tried again then.
    let allowed = maxBytes
    for (let run = 0; run < RUNS && !signal.aborted; run++) {
      const over = (await this.#ownBytes()) - maxBytes
      if (over <= 0) return
      if (run > 0) allowed = Math.max(0, allowed - over)
      const { removed, bytesOver } = await this.#steps.prune({ ...rules, maxBytes: allowed })
      if (removed.length > 0) await this.#maintain(signal)
      else if (bytesOver !== undefined) return
    }
  }

  async #ownBytes(): Promise<number> {
    const { platform, layout } = this.#store
    return ownBytes(await readOwnFiles(platform.fileSystem, layout))
  }

  async #maintain(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#steps.onMaintained(await this.#steps.maintain(signal))
  }

  /** Whether enough has come together since the last time. */
  async isDue(): Promise<boolean> {
    const { maxBytes } = this.#policy ?? DEFAULT_RETENTION
    const { platform, layout } = this.#store
    const { fileSystem, clock } = platform
    const packs = await packFiles(fileSystem, layout)
    const { atMs, packs: left = 0 } = await readMaintenance(fileSystem, layout)
    if (packs.length - left >= DUE_PACKS) return true
    if (atMs !== undefined && clock.nowMs() - atMs > DUE_MS) return true
    if (maxBytes === undefined || packs.length === left) return false
    let bytes = 0
    for (const path of packs) bytes += (await fileSystem.lstat(path))?.sizeBytes ?? 0
    return bytes > maxBytes
  }
}

/** So many captures since the last time. */
const DUE_PACKS = 50
const DUE_MS = 24 * 3_600_000
const REST_MS = 60_000
/** How often the cap is tried. */
const RUNS = 4
