import cliProgress from "cli-progress"
import prettyBytes from "pretty-bytes"
import type { OnProgress, Progress } from "../snapshot-store.js"
import { count, grouped } from "./text.js"

/** A bar that shows what a long call is at. */
export interface ProgressBar {
  readonly onProgress: OnProgress
  /** Takes the bar off the screen. May be called more than once. */
  stop(): void
}

/** A bar on `stream`, which appears only when the call takes longer than a moment; no bar where it is no terminal. */
export function progressBar(stream: NodeJS.WriteStream, wanted: boolean): ProgressBar {
  if (!wanted || !stream.isTTY) return { onProgress: () => {}, stop: () => {} }
  const bar = new cliProgress.SingleBar({
    stream,
    format: (_options, params, payload: Progress) => line(params.progress, payload, stream.columns || 80),
    clearOnComplete: true,
    linewrap: true,
    fps: 8,
  })
  const begin = performance.now()
  let shown = false
  return {
    onProgress: (progress) => {
      if (!shown && performance.now() - begin < MOMENT_MS) return
      const total = progress.total ?? 0
      if (!shown) bar.start(total, progress.done, progress)
      else bar.setTotal(total)
      shown = true
      bar.update(progress.done, progress)
    },
    stop: () => {
      if (shown) bar.stop()
      shown = false
    },
  }
}

function line(fraction: number, { phase, done, total, bytes }: Progress, columns: number): string {
  const unit = phase === "verify" ? "object" : "file"
  const amount =
    phase === "repack"
      ? prettyBytes(done)
      : total === undefined
        ? count(done, unit)
        : `${grouped(done)} of ${count(total, unit)}`
  const size = bytes === undefined || bytes === 0 ? "" : `, ${prettyBytes(bytes)}`
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * BAR_COLUMNS)
  const bar = total === undefined ? "" : `${"█".repeat(filled)}${"░".repeat(BAR_COLUMNS - filled)} `
  return `${TITLES[phase].padEnd(TITLE_COLUMNS)} ${bar}${amount}${size}`.slice(0, columns - 1)
}

const MOMENT_MS = 200
const BAR_COLUMNS = 24
const TITLES: Readonly<Record<Progress["phase"], string>> = {
  scan: "Looking",
  stage: "Preparing",
  write: "Writing",
  delete: "Deleting",
  mark: "Marking",
  collect: "Removing",
  repack: "Repacking",
  verify: "Checking",
}
const TITLE_COLUMNS = 9
