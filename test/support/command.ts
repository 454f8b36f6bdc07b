/*
 * The built command as a process that goes on running.
 */
import { spawn, type ChildProcess } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"
import { isRunning } from "./processes.js"
import { temporaryFolder } from "./temporary-folder.js"

/** The built command. */
export const MAIN: string = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url))

/** A work tree and a store on disk, nobody's configuration, and the command. */
export interface CommandPlace {
  readonly worktree: string
  readonly gitdir: string
  /** Starts the command in the work tree, on the store. It is killed when the test has finished. */
  start(...args: readonly string[]): RunningCommand
}

/** A command that runs. */
export interface RunningCommand {
  readonly child: ChildProcess
  readonly pid: number
  /** Resolves with the first line of stdout, so far or to come, that `take` makes something of; rejects when none came. */
  line<Found>(take: (line: string) => Found | undefined): Promise<Found>
  /** What was printed so far. */
  stdout(): string
  stderr(): string
  /** Its end: the exit status, or the signal. */
  readonly ended: Promise<number | string | null>
}

/** A new place. */
export async function commandPlace(): Promise<CommandPlace> {
  const root = await temporaryFolder()
  const [worktree, gitdir] = [join(root, "work"), join(root, "store")]
  mkdirSync(worktree)
  const env = { PATH: process.env["PATH"] ?? "", HOME: join(root, "home"), XDG_DATA_HOME: join(root, "shared") }
  return {
    worktree,
    gitdir,
    start(name, ...args) {
      const child = spawn(process.execPath, [MAIN, name ?? "", "--store", gitdir, ...args], {
        cwd: worktree,
        env,
        stdio: ["ignore", "pipe", "pipe"],
      })
      return running(child)
    },
  }
}

function running(child: ChildProcess): RunningCommand {
  let [out, err] = ["", ""]
  let changed = new Set<() => void>()
  let isOver = false
  const tell = (): void => {
    const waiting = changed
    changed = new Set()
    for (const go of waiting) go()
  }
  child.stdout?.setEncoding("utf8").on("data", (part: string) => {
    out += part
    tell()
  })
  child.stderr?.setEncoding("utf8").on("data", (part: string) => (err += part))
  const ended = new Promise<number | string | null>((resolve) =>
    child.on("close", (status, signal) => {
      isOver = true
      tell()
      resolve(status ?? signal)
    }),
  )
  onTestFinished(async () => {
    child.kill("SIGKILL")
    await ended
  })
  return {
    child,
    pid: child.pid ?? -1,
    stdout: () => out,
    stderr: () => err,
    ended,
    async line(take) {
      for (;;) {
        for (const line of out.split("\n").slice(0, -1)) {
          const found = take(line)
          if (found !== undefined) return found
        }
        if (isOver) throw new Error(`No such line came.\n${out}\n${err}`)
        await new Promise<void>((resolve) => changed.add(resolve))
      }
    },
  }
}

/** Resolves when the process is gone. */
export async function gone(pid: number): Promise<void> {
  while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 20))
}
