import type { Change, KeepReason, Mode, Outcome, Progress, SkipReason } from "../../src/snapshot-store.js"
import { count } from "./text.js"

/** Why a path is kept. */
export const KEEP_REASONS: Readonly<Record<KeepReason, string>> = {
  ignored: "A rule ignores it now.",
  "was-ignored": "It was ignored, or not included, then.",
  "was-skipped": "A snapshot left it out.",
  unreadable: "It cannot be read.",
  "special-file": "A fifo, socket or device.",
  added: "It was added since.",
  conflict: "It changed meanwhile, or something is in its way.",
}

/** Why a path is not in a snapshot. */
export const SKIP_REASONS: Readonly<Record<SkipReason, string>> = {
  "too-large": "New, and too large.",
  unreadable: "It cannot be read.",
  "changed-while-reading": "It changed each time it was read.",
  "special-file": "A fifo, socket or device.",
  "unsafe-name": "Git forbids its name, or it is not UTF-8.",
}

export const STATUS_WORDS: Readonly<Record<Change["status"], string>> = {
  added: "Added",
  deleted: "Deleted",
  modified: "Changed",
  typechange: "Changed its type",
}

export const ACTION_WORDS: Readonly<Record<Outcome["action"], string>> = {
  written: "Written",
  merged: "Merged",
  deleted: "Deleted",
  kept: "Kept",
  failed: "Failed",
}

/** Why a path was kept or failed: a KeepReason, or the system's own name for an error. */
export function outcomeReason({ reason, aside }: Outcome): string {
  if (aside !== undefined) return `It changed twice meanwhile. What it was before is ${aside}.`
  if (reason === undefined) return ""
  if (reason === "write-failed") return "It was not deleted, because a write failed."
  return (KEEP_REASONS as Readonly<Record<string, string>>)[reason] ?? ERRORS[reason] ?? reason
}

/** What a path is by its mode, with its article. */
export function kindOf(mode: Mode): string {
  return KINDS[mode]
}

/** "Reading files: 120 of 400". */
export function progressWords({ phase, done, total }: Progress): string {
  const [what, of] = PHASES[phase]
  if (of === "") return what
  return total === undefined
    ? `${what}: ${count(done, of)}`
    : `${what}: ${done.toLocaleString("en-US")} of ${count(total, of)}`
}

const KINDS: Readonly<Record<Mode, string>> = {
  "100644": "a file",
  "100755": "an executable file",
  "120000": "a link",
  "40000": "an empty folder",
  "160000": "a nested repository",
}

const PHASES: Readonly<Record<Progress["phase"], readonly [string, string]>> = {
  scan: ["Reading files", "file"],
  stage: ["Preparing", "file"],
  write: ["Writing", "file"],
  delete: ["Deleting", "file"],
  mark: ["Looking through the store", "object"],
  collect: ["Cleaning up", "pack"],
  repack: ["Putting packs together", ""],
  verify: ["Checking", "object"],
}

const ERRORS: Readonly<Record<string, string>> = {
  EACCES: "Permission denied. Give this user access to its folder.",
  EPERM: "Not permitted. Check who owns it, and its folder.",
  EROFS: "Its file system is read-only.",
  EBUSY: "It is in use. Close what uses it.",
  EEXIST: "Something else came in its place meanwhile.",
  EIO: "The device reported an error.",
  ENAMETOOLONG: "Its name is too long for this file system.",
}
