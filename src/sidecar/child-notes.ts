import { createHash } from "node:crypto"
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { parseProcessStat, type ProcessStat } from "../core/process-stat.js"
import { hasSignalled } from "./end-group.js"
import { nodeSystem } from "./process-system.js"
import type { SidecarClock } from "./sidecar-clock.js"
import { TOKEN_VARIABLE } from "./sidecar-protocol.js"

/** A sidecar, in terms that a later run of its parent can check. */
interface ChildNote {
  readonly child: ProcessName
  readonly parent: ProcessName
  /** SHA-256 of its token: enough to know it by, and of no use to others. */
  readonly tokenHash: string
}

interface ProcessName {
  readonly pid: number
  readonly startTime: string
}

/**
 * Notes of the sidecars that run, a file each, for the time after this process was killed: then a later one ends what is
 * left. Only on Linux, where start times and environments can be read. What cannot be noted is not: a sidecar also looks
 * after its parent by itself.
 */
export class ChildNotes {
  readonly #folder: string
  readonly #clock: SidecarClock
  #turn: Promise<void> = Promise.resolve()

  constructor(folder: string, clock: SidecarClock) {
    this.#folder = folder
    this.#clock = clock
  }

  /** Notes a sidecar that runs now. Never rejects. */
  add(pid: number, token: string): Promise<void> {
    return this.#inTurn(async () => {
      const [child, parent] = [await statOf(pid), await statOf(process.pid)]
      if (child === undefined || parent === undefined) return
      const tokenHash = hashOf(token)
      const note: ChildNote = {
        child: { pid, startTime: child.startTime },
        parent: { pid: process.pid, startTime: parent.startTime },
        tokenHash,
      }
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      const path = this.#pathOf(tokenHash)
      await writeFile(`${path}.new`, JSON.stringify(note), { mode: 0o600 })
      await rename(`${path}.new`, path)
    })
  }

  /** Takes back the note of a sidecar that has ended. Never rejects. */
  remove(token: string): Promise<void> {
    return this.#inTurn(() => rm(this.#pathOf(hashOf(token)), { force: true }))
  }

  /**
   * Ends the sidecars whose parent has gone and which are what their notes say, by start time and token: by SIGTERM, and
   * after 3 s by SIGKILL. Never rejects.
   */
  endEarlier(): Promise<void> {
    return this.#inTurn(async () => {
      const names = (await readdir(this.#folder)).filter((name) => NOTE.test(name))
      await Promise.all(names.map((name) => this.#endNoted(join(this.#folder, name))))
    })
  }

  async #endNoted(path: string): Promise<void> {
    const note = toNote(await readFile(path, "utf8").catch(() => ""))
    if (note !== undefined) {
      // Another run that goes on, with the same folder.
      if ((await runningOf(note.parent)) !== undefined) return
      if (!(await this.#isEnded(note))) return
    }
    await rm(path, { force: true })
  }

  /** Whether that sidecar has gone, by itself or from here. */
  async #isEnded({ child, tokenHash }: ChildNote): Promise<boolean> {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const running = await runningOf(child)
      if (running === undefined) return true
      // Somebody else's, or one that does not let itself be read.
      if (hashOf((await tokenOf(child.pid)) ?? "") !== tokenHash) return false
      hasSignalled(nodeSystem, running.group === child.pid ? -child.pid : child.pid, signal)
      for (let waitedMs = 0; waitedMs < GRACE_MS; waitedMs += LOOK_MS) {
        if ((await runningOf(child)) === undefined) return true
        await new Promise<void>((resolve) => void this.#clock.after(LOOK_MS, resolve))
      }
    }
    return (await runningOf(child)) === undefined
  }

  #pathOf(tokenHash: string): string {
    return join(this.#folder, `sidecar-${tokenHash.slice(0, 16)}.json`)
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(step).catch(() => {})
    return this.#turn
  }
}

/** Where the process of that name runs: what the system tells of it. */
async function runningOf({ pid, startTime }: ProcessName): Promise<ProcessStat | undefined> {
  const stat = await statOf(pid)
  return stat?.startTime === startTime && !stat.hasEnded ? stat : undefined
}

async function statOf(pid: number): Promise<ProcessStat | undefined> {
  return parseProcessStat(await readFile(`/proc/${pid}/stat`, "latin1").catch(() => ""))
}

/** The token that a process was started with. */
async function tokenOf(pid: number): Promise<string | undefined> {
  const variables = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "")
  const prefix = `${TOKEN_VARIABLE}=`
  const found = variables.split("\0").find((variable) => variable.startsWith(prefix))
  return found?.slice(prefix.length)
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex")
}

function toNote(text: string): ChildNote | undefined {
  try {
    const { child, parent, tokenHash } = JSON.parse(text) as Partial<ChildNote>
    const isWhole = isName(child) && isName(parent) && typeof tokenHash === "string"
    return isWhole ? { child, parent, tokenHash } : undefined
  } catch {
    return undefined
  }
}

function isName(name: Partial<ProcessName> | undefined): name is ProcessName {
  return Number.isSafeInteger(name?.pid) && Number(name?.pid) > 0 && typeof name?.startTime === "string"
}

const NOTE = /^sidecar-[0-9a-f]{16}\.json$/
const GRACE_MS = 3000
const LOOK_MS = 50
