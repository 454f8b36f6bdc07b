import { SnapshotError } from "../core/errors.js"
import type { ExitRecord } from "./exit-record.js"

/** Nobody waits for a start any more, since there was a stop. */
export function closedError(): SnapshotError {
  return new SnapshotError("CLOSED", "The sidecar was stopped. Start it again when it is wanted.", {})
}

/** The sidecar is not started again, or could not take the place of another one. */
export function failedError(module: string, record: ExitRecord): SnapshotError {
  const { restart, error, stderr } = record
  const often = restart.action === "give-up" ? " too often" : ""
  const said = stderr.slice(-SAID_LINES).join("\n")
  const end = error ?? howItEnded(record)
  const advice =
    restart.action === "give-up" ? "Mend that and start it again." : "The one before goes on. Mend that and try again."
  const message = `The sidecar ${module} ended${often}; the last time: ${end}.${said === "" ? "" : `\n${said}`}\n${advice}`
  return new SnapshotError("IO_FAILED", message, { action: "run the sidecar", path: module, errno: "" })
}

function howItEnded({ reason, code, signal }: ExitRecord): string {
  if (reason === "start-timeout") return "it did not get ready in time"
  if (reason === "bad-ready") return "it said that it was ready with a wrong token or address"
  return signal === undefined ? `exit code ${code ?? "unknown"}` : `signal ${signal}`
}

const SAID_LINES = 5
