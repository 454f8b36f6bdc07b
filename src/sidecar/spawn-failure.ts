import { constants } from "node:fs"
import { access, stat } from "node:fs/promises"
import type { SpawnFailureReason } from "./process-result.js"

/** Why a process could not be started. */
export interface SpawnFailure {
  readonly reason: SpawnFailureReason
  readonly errorCode?: string
  readonly cause?: unknown
}

/**
 * What the `error` of a start means. The system has one name for a command that is not there and a folder that is not
 * there, so the folder is looked at.
 */
export async function spawnFailure(error: unknown, cwd: string | undefined): Promise<SpawnFailure> {
  if (error === undefined) return { reason: "other" }
  const code = codeOf(error)
  if (code === "ERR_INVALID_ARG_VALUE") return { reason: "nul-byte", cause: error }
  const reason = MAY_BE_THE_FOLDER.has(code) && !(await isUsable(cwd)) ? "cwd-unusable" : (REASONS[code] ?? "other")
  return { reason, ...(/^E[A-Z0-9]+$/.test(code) ? { errorCode: code } : {}), cause: error }
}

function codeOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined
  return typeof code === "string" ? code : ""
}

async function isUsable(cwd: string | undefined): Promise<boolean> {
  if (cwd === undefined) return true
  try {
    await access(cwd, constants.X_OK)
    return (await stat(cwd)).isDirectory()
  } catch {
    return false
  }
}

const MAY_BE_THE_FOLDER: ReadonlySet<string> = new Set([
  "ENOENT",
  "ENOTDIR",
  "EACCES",
  "EPERM",
  "ELOOP",
  "ENAMETOOLONG",
])

const REASONS: Readonly<Record<string, SpawnFailureReason>> = {
  ENOENT: "command-missing",
  ENOTDIR: "command-missing",
  EACCES: "command-not-executable",
  EPERM: "command-not-executable",
  ENOEXEC: "command-not-executable",
  E2BIG: "arguments-too-long",
  ENAMETOOLONG: "arguments-too-long",
}
