import { lossyText } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import type { ProcessResult, SpawnFailureReason } from "./process-result.js"

/**
 * Gives `result` back when it is ok. Otherwise throws: GIT_FAILED when git was run; IO_FAILED for any other command, with
 * the action "run <command>", the command as path, and the system's name for the failure, or "" where it has none; for
 * what an AbortSignal ended, the signal's reason.
 */
export function requireSuccess(result: ProcessResult): ProcessResult {
  if (result.ok) return result
  if (result.kind === "aborted") throw result.cause
  const message = failureMessage(result)
  const stderr = lossyText(result.stderr)
  const { command, args, code, cause } = result
  if (isGit(command)) throw new SnapshotError("GIT_FAILED", message, { args, exitStatus: code, stderr }, cause)
  const errno = result.errorCode ?? result.stdin.errorCode ?? ""
  throw new SnapshotError("IO_FAILED", message, { action: `run ${command}`, path: command, errno }, cause)
}

/** What happened, what the process said of it, and what to do: for people. */
function failureMessage(result: ProcessResult): string {
  const { what, advice } = story(result)
  const said = firstLines(lossyText(result.stderr))
  const start = `"${shownCommand(result)}" ${what}`
  return said === "" ? `${start}. ${advice}` : `${start}:\n${said}\n${advice}`
}

function story({ kind, code, signal, reason = "other", cause, stdin, stderr }: ProcessResult): Story {
  switch (kind) {
    case "exited":
      return {
        what: `ended with status ${code ?? "unknown"}`,
        advice: stderr.length > 0 ? "Mend what it names and try again." : "It said nothing; try it by hand.",
      }
    case "signaled":
      return {
        what: `was ended by ${signal ?? "a signal"}`,
        advice: "Find out who sent it, such as a system that is short of memory, and try again.",
      }
    case "spawn-failed": {
      const { why, advice } = SPAWN_STORIES[reason]
      const words = why ?? (cause instanceof Error ? cause.message : "the system gave no reason")
      return { what: `could not be started: ${words}`, advice }
    }
    case "timed-out":
      return { what: "took too long and was ended", advice: "Allow it more time, or give it less to do." }
    case "aborted":
      return { what: "was ended because the caller asked for it", advice: "Start it again when it is wanted." }
    case "output-limit":
      return {
        what: "printed more than the limit and was ended",
        advice: "Raise maxOutputBytes, or take the output by onStdout and onStderr.",
      }
    case "input-failed":
      return {
        what: `ended without an error, but did not get all of its input (${stdin.errorCode ?? "it stopped reading"})`,
        advice: "Do not count on what it did; try again.",
      }
  }
}

interface Story {
  readonly what: string
  readonly advice: string
}

const SPAWN_STORIES: Readonly<Record<SpawnFailureReason, { readonly why?: string; readonly advice: string }>> = {
  "command-missing": { why: "there is no such program", advice: "Install it, or add its folder to the PATH." },
  "command-not-executable": {
    why: "the file may not be executed",
    advice: "Check its permissions, and that it is a program for this system.",
  },
  "cwd-unusable": {
    why: "the folder to run it in is missing, is no folder, or may not be entered",
    advice: "Check the cwd that it was given.",
  },
  "arguments-too-long": {
    why: "its arguments are longer than the system takes",
    advice: "Pass them on stdin or in a file.",
  },
  "nul-byte": {
    why: "the command, an argument, the folder or a variable holds a NUL byte",
    advice: "Take the NUL byte out, or pass the text on stdin.",
  },
  other: { advice: "Check the limits of the system, such as open files and processes, and try again." },
}

/** Git and its subcommand come before what is long: options of git itself are left out. */
function shownCommand({ command, args }: ProcessResult): string {
  let first = 0
  if (isGit(command))
    while (args[first]?.startsWith("-") === true) first += args[first] === "-c" || args[first] === "-C" ? 2 : 1
  const shown = printable([command, ...args.slice(first === args.length ? 0 : first)].join(" "))
  return shown.length > SHOWN_LENGTH ? `${shown.slice(0, SHOWN_LENGTH)}…` : shown
}

function firstLines(text: string): string {
  const lines = text.slice(0, SAID_LENGTH).split("\n")
  const said = lines.map((line) => printable(line.replaceAll("\t", "  ").trimEnd())).filter((line) => line !== "")
  return said.slice(0, SAID_LINES).join("\n")
}

/** Without what would steer a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, "\uFFFD")
}

function isGit(command: string): boolean {
  return /(^|[/\\])git(\.exe)?$/i.test(command)
}

const SHOWN_LENGTH = 120
const SAID_LENGTH = 2000
const SAID_LINES = 5
