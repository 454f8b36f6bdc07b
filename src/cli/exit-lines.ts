import type { ExitRecord, RestartDecision } from "../sidecar/exit-record.js"
import { count, duration, localTime, printable } from "./text.js"

/** How a server ended, whether that was asked for, and what comes of it. */
export function exitLine(record: ExitRecord): string {
  const { generation, pid, expected, uptimeMs, endedAt, restart, reason, error } = record
  const who = `server ${generation}${pid === undefined ? "" : ` (pid ${pid})`}`
  const why = expected || reason === "unasked" ? "" : `, ${REASONS[reason]}`
  const parts = [
    `${localTime(endedAt)}  ${who} ended after ${duration(uptimeMs)}: ${how(record)}${why}`,
    expected ? "as asked for" : "not asked for",
    ...(error === undefined ? [] : [printable(error)]),
  ]
  return `${parts.join(", ")}. ${next(restart)}`.trimEnd()
}

function how({ code, signal, escalation }: ExitRecord): string {
  const ended = signal ?? (code === undefined ? "it never ran" : `code ${code}`)
  return escalation === "kill" ? `${ended}, since it did not go by itself` : ended
}

const REASONS: Readonly<Record<Exclude<ExitRecord["reason"], "unasked">, string>> = {
  stop: "stopped",
  replace: "replaced",
  "start-timeout": "it was not ready in time",
  "bad-ready": "it said that it was ready with a wrong token or address",
  "launch-failed": "it could not be started",
}

function next(restart: RestartDecision): string {
  if (restart.action === "restart") return `The next one starts in ${duration(restart.delayMs)}.`
  if (restart.action === "give-up")
    return `These are more than ${count(restart.most, "end")} in ${Math.round(restart.withinMs / 60_000)} min: no other one is started.`
  return restart.because === "another-starts" ? "Another one is on its way." : ""
}
