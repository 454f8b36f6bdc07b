/*
 * Automatic maintenance: a moment after a capture has been told of, where enough has come together since the last time. It
 * delays no capture, and a process that ends in the middle of it leaves a whole store.
 */
import { isSnapshotError } from "../core/errors.js"
import { DEFAULT_RETENTION, type RetentionPolicy } from "../core/retention.js"
import type { MaintainOptions, MaintainReport, PruneReport } from "../snapshot-store.js"
import { refuseLostPackedRefs } from "../store/lost-packed-refs.js"
import { askToCompact, noteMaintenance, readMaintenance } from "../store/maintenance-note.js"
import { bytesOf, packFiles } from "../store/pack-files.js"
import { readOwnFiles } from "../store/own-files.js"
import { readRetention } from "../store/retention-note.js"
import { ownBytes } from "../store/stored-bytes.js"
import type { StoreContext } from "./context.js"
import type { PruneTerms } from "./prune.js"

/** What automatic maintenance does, one after the other. */
export interface TendSteps {
  readonly prune: (policy: RetentionPolicy, terms: PruneTerms) => Promise<PruneReport>
  readonly maintain: (options: TendOptions) => Promise<MaintainReport>
  readonly onMaintained: (report: MaintainReport) => void
}

/** How to run it. */
export interface TendOptions extends MaintainOptions {
  /** Does not keep the process alive. */
  readonly isBackground?: boolean
}

interface Kept {
  /** Without a rule nothing goes. */
  readonly policy: RetentionPolicy
  /** Nobody has asked for it. */
  readonly isDefault: boolean
}

/** Looks after one open store. */
export class Tender {
  readonly #store: StoreContext
  /** As OpenOptions has it. */
  readonly #asked: RetentionPolicy | false | undefined
  readonly #steps: TendSteps
  #isClosed = false
  /** Ends the run that is under way. */
  #abort = new AbortController()
  #waiting: ReturnType<typeof setTimeout> | undefined
  #running: Promise<void> | undefined
  /** Since it was last looked whether it is due. */
  #hasCaptured = false
  /** Calls that it stays out of the way of. */
  #calls = 0
  /** What failed, or could not be noted, is not tried again before that. */
  #restsUntilMs = 0

  constructor(store: StoreContext, retention: RetentionPolicy | false | undefined, steps: TendSteps) {
    this.#store = store
    this.#asked = retention
    this.#steps = steps
  }

  /** To be called when a capture has been answered. */
  captured(): void {
    if (this.#asked === false || this.#isClosed) return
    this.#hasCaptured = true
    this.#startSoon()
  }

  /** Runs `step`, which works under the same lock, with nothing of this under way. */
  async asideFor<Value>(step: () => Promise<Value>): Promise<Value> {
    this.#calls++
    this.#abort.abort()
    try {
      await this.#running
      return await step()
    } finally {
      this.#calls--
      this.#startSoon()
    }
  }

  /** Ends what is under way; the store is whole. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#waiting)
    this.#abort.abort()
    await this.#running
  }

  /** Does what automatic maintenance does, due or not: LOCK_HELD, and the failures of pruning and maintenance. */
  async run(options: TendOptions): Promise<MaintainReport> {
    const { policy, isDefault } = await this.#kept()
    const { platform, layout } = this.#store
    // By refs that are not all of them, the newest snapshot is not known.
    await refuseLostPackedRefs(platform.fileSystem, layout)
    const { maxBytes, ...rules } = policy
    const terms = { isSized: false, keepsAdopted: isDefault, isFolded: true }
    if (Object.values(rules).some((rule) => rule !== undefined)) await this.#steps.prune(rules, terms)
    if (maxBytes !== undefined && (await this.#ownBytes()) > maxBytes) await askToCompact(platform.fileSystem, layout)
    let report = await this.#maintain(options).catch((error: unknown) => {
      // There may be no room to fold anything before something goes.
      if (maxBytes !== undefined && isSnapshotError(error, "NO_SPACE")) return NOTHING_DONE
      throw error
    })
    if (maxBytes === undefined) return report
    // Deltas, and what was unreached, may have made room. Otherwise some more than needed goes, so that not every capture
    // finds the store full. Deltas may have bases that nothing else needs, which do not count beforehand: it is tried again.
    let bytes = await this.#ownBytes()
    let allowed = maxBytes * ROOM
    for (let run = 0; run < RUNS && bytes > maxBytes; run++) {
      const cap = Math.max(0, Math.floor(allowed))
      const { removed, bytesFreed } = await this.#steps.prune({ ...rules, maxBytes: cap }, terms)
      if (removed.length === 0) break
      report = added(report, await this.#maintain(options))
      const left = await this.#ownBytes()
      // What went gave little back, and nor would more: a pack may have to stay for a while.
      if (bytes - left < bytesFreed / 2) break
      allowed -= left - maxBytes * ROOM
      bytes = left
    }
    return report
  }

  /** Whether enough has come together since the last time. */
  async isDue(): Promise<boolean> {
    const { maxBytes } = (await this.#kept()).policy
    const { platform, layout } = this.#store
    const { fileSystem, clock } = platform
    const packs = await packFiles(fileSystem, layout)
    const { atMs, packs: left = 0, bytes: leftBytes = 0, failedMs = 0 } = await readMaintenance(fileSystem, layout)
    const sinceFailureMs = clock.nowMs() - failedMs
    if (sinceFailureMs >= 0 && sinceFailureMs < REST_MS) return false
    if (packs.length - left >= DUE_PACKS) return true
    if (atMs !== undefined && clock.nowMs() - atMs > DUE_MS) return true
    if (maxBytes === undefined || packs.length === left) return false
    // What has to stay may be more than the cap: then a run changes nothing until more has come.
    return (await bytesOf(fileSystem, packs)) > Math.max(maxBytes, leftBytes + maxBytes * GROWTH)
  }

  /** A capture that follows at once is not to find it at work, and a short process none begun. */
  #startSoon(): void {
    if (!this.#hasCaptured || this.#isClosed || this.#calls > 0 || this.#running || this.#waiting) return
    this.#waiting = setTimeout(() => {
      this.#waiting = undefined
      if (this.#calls > 0) return
      this.#abort = new AbortController()
      this.#running = this.#follow(this.#abort.signal).finally(() => {
        this.#running = undefined
        this.#startSoon()
      })
    }, START_MS)
    // Browsers give a number.
    const timer: { readonly unref?: () => void } = Object(this.#waiting)
    timer.unref?.()
  }

  /** What was captured while maintenance ran may be enough for another run. */
  async #follow(signal: AbortSignal): Promise<void> {
    while (this.#hasCaptured && !signal.aborted) {
      this.#hasCaptured = false
      await this.#runIfDue(signal)
      // What was cut short is looked at again.
      this.#hasCaptured ||= signal.aborted
    }
  }

  /** Never rejects: nobody asked for it, and it is tried again. */
  async #runIfDue(signal: AbortSignal): Promise<void> {
    const { platform, layout } = this.#store
    const { clock, fileSystem } = platform
    try {
      if (clock.nowMs() < this.#restsUntilMs || !(await this.isDue()) || signal.aborted) return
      const { atMs } = await this.#noted()
      await this.run({ signal, isBackground: true })
      // Where what was done cannot be noted, it would be due for ever.
      if ((await this.#noted()).atMs === atMs) this.#restsUntilMs = clock.nowMs() + REST_MS
    } catch (error) {
      // Another process is at it, or this was told to end.
      if (signal.aborted || isSnapshotError(error, "LOCK_HELD")) return
      // Something is damaged, which verify tells of, or there is no room.
      const nowMs = clock.nowMs()
      this.#restsUntilMs = nowMs + REST_MS
      await noteMaintenance(fileSystem, layout, { ...(await this.#noted()), failedMs: nowMs })
    }
  }

  async #noted(): Promise<Awaited<ReturnType<typeof readMaintenance>>> {
    return readMaintenance(this.#store.platform.fileSystem, this.#store.layout)
  }

  /** What stays: as this store was opened, or as it was opened before by somebody who asked for something. */
  async #kept(): Promise<Kept> {
    const { platform, layout, workspace } = this.#store
    const asked = this.#asked ?? (await readRetention(platform.fileSystem, layout, workspace))
    if (asked === undefined) return { policy: DEFAULT_RETENTION, isDefault: true }
    return { policy: asked === false ? {} : asked, isDefault: false }
  }

  async #ownBytes(): Promise<number> {
    const { platform, layout } = this.#store
    return ownBytes(await readOwnFiles(platform.fileSystem, layout))
  }

  async #maintain(options: TendOptions): Promise<MaintainReport> {
    options.signal?.throwIfAborted()
    const report = await this.#steps.maintain(options)
    this.#steps.onMaintained(report)
    return report
  }
}

/** What two runs did together. */
function added(one: MaintainReport, other: MaintainReport): MaintainReport {
  const sum = { ...one }
  for (const name of Object.keys(one) as (keyof MaintainReport)[]) sum[name] += other[name]
  return sum
}

const NOTHING_DONE: MaintainReport = {
  objectsRemoved: 0,
  bytesFreed: 0,
  packsRemoved: 0,
  packsWritten: 0,
  objectsTakenOver: 0,
  refsPacked: 0,
  adopted: 0,
}

const START_MS = 200
/** So many captures since the last time. */
const DUE_PACKS = 50
const DUE_MS = 24 * 3_600_000
const REST_MS = 10 * 60_000
/** How often the cap is tried. */
const RUNS = 4
/** What is left of the cap when it was reached. */
const ROOM = 0.9
/** By so much of the cap a store has to grow that could not be brought below it. */
const GROWTH = 0.05
