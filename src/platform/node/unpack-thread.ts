import { Worker } from "node:worker_threads"
import type { GitObject } from "../../core/object.js"
import type { PackedEntry, Unpacker } from "../../core/unpacker.js"
import { joinEntries, splitObjects, type UnpackedBatch } from "./unpack-batch.js"

/**
 * Unpacks on a thread of its own. It starts when many objects are asked for in a short time, keeps the process alive only
 * while it works, and ends when it has had nothing to do for a while. `file` is its program.
 */
export function unpackThread(file: URL): Unpacker {
  let thread: Thread | undefined
  let asked = 0
  let failedStarts = 0
  let forget: NodeJS.Timeout | undefined

  function startIfMany(count: number): void {
    asked += count
    forget ??= setTimeout(() => {
      asked = 0
      forget = undefined
    }, BURST_MS).unref()
    if (asked < START_OBJECTS || failedStarts >= STARTS) return
    asked = 0
    thread = new Thread(file, (wasOnline) => {
      if (!wasOnline) failedStarts++
      thread = undefined
    })
  }

  return {
    unpack(entries) {
      if (thread === undefined) startIfMany(entries.length)
      return thread?.unpack(entries)
    },
  }
}

type Unpacked = readonly (GitObject | undefined)[] | undefined

class Thread {
  readonly #worker: Worker
  readonly #whenEnded: (wasOnline: boolean) => void
  /** Who waits, in the order in which they asked and are answered. */
  readonly #waiting: ((unpacked: Unpacked) => void)[] = []
  #state: "starting" | "online" | "ended" = "starting"
  #idle: NodeJS.Timeout | undefined

  constructor(file: URL, whenEnded: (wasOnline: boolean) => void) {
    this.#whenEnded = whenEnded
    // What the process was told to load first, such as a compiler, is of no use here and takes long.
    this.#worker = new Worker(file, { execArgv: [], name: "treeshot" })
    this.#worker.on("online", () => {
      this.#state = "online"
      this.#rest()
    })
    this.#worker.on("message", (reply: UnpackedBatch) => this.#take(reply))
    this.#worker.on("error", () => this.#end())
    this.#worker.on("exit", () => this.#end())
    this.#worker.unref()
  }

  unpack(entries: readonly PackedEntry[]): Promise<Unpacked> | undefined {
    if (this.#state !== "online") return undefined
    clearTimeout(this.#idle)
    // Somebody waits for it: the process must not end meanwhile.
    this.#worker.ref()
    const batch = joinEntries(entries)
    this.#worker.postMessage(batch, [batch.bytes.buffer])
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #take(reply: UnpackedBatch): void {
    this.#waiting.shift()?.(splitObjects(reply))
    if (this.#waiting.length === 0) this.#rest()
  }

  #rest(): void {
    this.#worker.unref()
    this.#idle = setTimeout(() => void this.#worker.terminate(), IDLE_MS).unref()
  }

  #end(): void {
    if (this.#state === "ended") return
    const wasOnline = this.#state === "online"
    this.#state = "ended"
    clearTimeout(this.#idle)
    this.#whenEnded(wasOnline)
    for (const resolve of this.#waiting.splice(0)) resolve(undefined)
  }
}

/** So many within BURST_MS are worth a thread, which takes some 40 ms to start. */
const START_OBJECTS = 256
const BURST_MS = 1000
const IDLE_MS = 5000
/** A place where no thread starts is not asked for one for ever. */
const STARTS = 4
