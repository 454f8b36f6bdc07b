import type { ChildProcess } from "node:child_process"
import { after, type Deadline } from "./deadline.js"
import { ProcessOutput, type OutputEvents, type OutputOptions } from "./process-output.js"
import type { RunOptions } from "./run-options.js"

/** Both outputs of a process. */
export class ProcessOutputs {
  readonly stdout: ProcessOutput
  readonly stderr: ProcessOutput
  #whenDrained: (() => void) | undefined
  #idle: Deadline | undefined

  constructor(child: ChildProcess, options: RunOptions, told: Pick<OutputEvents, "onOverflow" | "onThrow">) {
    const events: OutputEvents = {
      ...told,
      onActivity: () => this.#restartIdle(),
      onEnd: () => {
        if (this.#areDone()) this.#whenDrained?.()
      },
    }
    this.stdout = new ProcessOutput(child.stdout, limits(options, options.onStdout), events)
    this.stderr = new ProcessOutput(child.stderr, limits(options, options.onStderr), events)
  }

  /**
   * The process has ended. Resolves when its outputs have, too. Somebody else may hold them for as long as he likes, so
   * it also resolves when nothing came for a while, or after a longer while.
   */
  async drained(): Promise<void> {
    if (this.#areDone()) return
    let most: Deadline | undefined
    await new Promise<void>((resolve) => {
      this.#whenDrained = resolve
      most = after(MOST_MS, resolve)
      this.#idle = after(IDLE_MS, resolve)
    })
    this.#whenDrained = undefined
    this.#idle?.clear()
    most?.clear()
  }

  /** Whether one of them was not read to its end. */
  get areIncomplete(): boolean {
    return !this.stdout.hasEnded || !this.stderr.hasEnded
  }

  /** Nothing more is wanted. */
  close(): void {
    this.stdout.close()
    this.stderr.close()
  }

  #areDone(): boolean {
    return this.stdout.isDone && this.stderr.isDone
  }

  #restartIdle(): void {
    if (this.#whenDrained === undefined) return
    this.#idle?.clear()
    this.#idle = after(IDLE_MS, this.#whenDrained)
  }
}

function limits(options: RunOptions, onChunk: ((chunk: Uint8Array) => void) | undefined): OutputOptions {
  const { maxOutputBytes } = options
  if (onChunk === undefined) {
    const limitBytes = maxOutputBytes ?? LIMIT_BYTES
    return { limitBytes, keepBytes: limitBytes }
  }
  return { limitBytes: maxOutputBytes ?? Number.POSITIVE_INFINITY, keepBytes: KEPT_BESIDE_CALLBACK_BYTES, onChunk }
}

const IDLE_MS = 250
const MOST_MS = 2000
const LIMIT_BYTES = 64 * 1024 * 1024
/** Enough to say in an error what a process had to say. */
const KEPT_BESIDE_CALLBACK_BYTES = 64 * 1024
