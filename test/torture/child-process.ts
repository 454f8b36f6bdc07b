/*
 * Processes that work on a store until they end or are killed, and tell what they do, a line of JSON each.
 */
import { spawn, type ChildProcess } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** What a child tells: the name of what happened, and what belongs to it. */
export interface Told {
  readonly what: string
  readonly [key: string]: unknown
}

/** A child that runs. */
export interface Child {
  readonly process: ChildProcess
  /** All that it has told so far. */
  readonly told: readonly Told[]
  /** Resolves when it has told something of this name; rejects when it ends before. */
  waitFor(what: string): Promise<void>
  /** Resolves when it has ended, and all that it told is here. Gives the signal that ended it, and what it complained of. */
  readonly ended: Promise<{ readonly signal: NodeJS.Signals | null; readonly complaints: string }>
}

/** The package as it is shipped. */
const ENTRY = join(process.cwd(), "dist/index.js")

/** Starts the script of this name, beside this file, with `order` as JSON. */
export function startChild(script: "worker" | "holder", order: object): Child {
  const path = fileURLToPath(new URL(`./${script}.js`, import.meta.url))
  const child = spawn(process.execPath, [path, JSON.stringify({ entry: ENTRY, ...order })], {
    stdio: ["ignore", "pipe", "pipe"],
  })
  const told: Told[] = []
  const waiting = new Set<() => void>()
  let complaints = ""
  let rest = ""
  let isOver = false
  child.stderr.on("data", (bytes: Buffer) => (complaints += bytes.toString()))
  child.stdout.on("data", (bytes: Buffer) => {
    const lines = (rest + bytes.toString()).split("\n")
    rest = lines.pop() ?? ""
    told.push(...lines.map((line) => JSON.parse(line) as Told))
    for (const look of waiting) look()
  })
  const ended = new Promise<{ signal: NodeJS.Signals | null; complaints: string }>((resolve) =>
    child.on("close", (_code, signal) => {
      isOver = true
      for (const look of waiting) look()
      resolve({ signal, complaints })
    }),
  )
  const waitFor = (what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const isTold = told.some((each) => each.what === what)
        if (!isTold && !isOver) return
        waiting.delete(look)
        if (isTold) resolve()
        else reject(new Error(`the child ended before it told of "${what}": ${complaints}`))
      }
      waiting.add(look)
      look()
    })
  return { process: child, told, waitFor, ended }
}
