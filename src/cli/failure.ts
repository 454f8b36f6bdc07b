import { isSnapshotError, SnapshotError } from "../core/errors.js"
import type { Screen } from "./screen.js"
import { printable } from "./text.js"

/** The exit statuses. */
export const DONE = 0
export const FAILED = 1
const WRONG_USE = 2

/** What a long call that was interrupted or that failed has left behind, as a sentence; for people and for programs. */
export class Aftermath extends Error {
  override readonly name = "Aftermath"

  constructor(cause: unknown, sentence: string) {
    super(sentence, { cause })
  }
}

/** Tells of `error` in words, or as JSON, and gives the exit status. */
export function report(error: unknown, screen: Screen, signal: AbortSignal, debug: boolean): number {
  const aftermath = error instanceof Aftermath ? error.message : ""
  const cause = error instanceof Aftermath ? error.cause : error
  const failure = describe(cause, signal)
  const message = aftermath === "" ? failure.message : `${failure.message} ${aftermath}`
  if (screen.json) screen.printJson({ error: { code: failure.code, message, details: failure.details } })
  else screen.note(`treeshot: ${shown(failure.code, message)}`)
  if (debug) screen.note(stackOf(cause))
  return failure.code === "INVALID_ARGUMENT" ? WRONG_USE : FAILED
}

/** What native git said has lines; in any other message a line's end is part of a name. */
function shown(code: string, message: string): string {
  return code === "GIT_FAILED" ? message.split("\n").map(printable).join("\n") : printable(message)
}

interface Failure {
  readonly code: string
  readonly message: string
  readonly details: unknown
}

function describe(error: unknown, signal: AbortSignal): Failure {
  if (error instanceof SnapshotError) return { code: error.code, message: sentence(error), details: error.details }
  if (signal.aborted && error === signal.reason) return { code: "INTERRUPTED", message: "Interrupted.", details: {} }
  const message = error instanceof Error ? error.message : String(error)
  return {
    code: "UNEXPECTED",
    message: `${message || "Something unexpected happened"} (TREESHOT_DEBUG=1 shows where this comes from)`,
    details: {},
  }
}

/** The error's own sentence, or a better one where this program has its own words for what to do. */
function sentence(error: SnapshotError): string {
  if (isSnapshotError(error, "NOT_FOUND") && error.details.rev === "latest")
    return "There is no snapshot of this folder yet. treeshot capture takes one."
  if (isSnapshotError(error, "ROOT_REFUSED"))
    return `${error.details.path} holds far more than a project. Name a folder with -C, or give --allow-any-root.`
  return error.message
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const stack = error.stack ?? error.message
  return error.cause === undefined ? stack : `${stack}\nCaused by: ${stackOf(error.cause)}`
}
