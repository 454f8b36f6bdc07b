import type { ChildProcess, SpawnOptions } from "node:child_process"
import { EventEmitter } from "node:events"
import { PassThrough, Writable } from "node:stream"
import type { ProcessSystem } from "../../src/sidecar/process-system.js"

/** A process of a platform that cannot be had here, played by hand. */
export interface StubProcess {
  readonly system: ProcessSystem
  readonly stdin: Writable
  readonly stdout: PassThrough
  /** Every command that was spawned, with its options. */
  readonly spawned: { readonly command: string; readonly args: readonly string[]; readonly options: SpawnOptions }[]
  /** Whether this process would end without waiting for it. */
  isUnreferenced(): boolean
  /** Every signal that was sent to the process itself. */
  readonly signals: unknown[]
  /** Every signal that was sent to a process or group by number. */
  readonly kills: (readonly [pid: number, signal: unknown])[]
  /** It ends, and its outputs with it. */
  exit(code: number | null, signal?: NodeJS.Signals): void
  /** It ends, and somebody else holds its outputs. */
  leave(code: number): void
  /** Emits `close`, as after an exit. */
  close(code: number): void
  /** Emits `error`, as when a signal could not be sent. */
  fail(error: Error): void
}

/** What a stub does otherwise than a process that takes all of its input. */
export interface StubOptions {
  readonly platform?: NodeJS.Platform
  readonly pid?: number | undefined
  /** What stdin does with a chunk. */
  readonly write?: (chunk: Uint8Array, taken: (error?: Error) => void) => void
  /** Called for each command that is spawned after the first. */
  readonly onSpawn?: (command: EventEmitter) => void
}

export function stubProcess(options: StubOptions = {}): StubProcess {
  const { platform = "win32", write = (_chunk, taken) => taken() } = options
  const stdin = new Writable({ write: (chunk: Uint8Array, _encoding, taken) => write(chunk, taken) })
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const spawned: StubProcess["spawned"] = []
  const signals: unknown[] = []
  const kills: StubProcess["kills"] = []
  const emitter = new EventEmitter()
  let isUnreferenced = false
  const child = Object.assign(emitter, {
    pid: "pid" in options ? options.pid : 4711,
    stdin,
    stdout,
    stderr,
    kill: (signal: unknown) => signals.push(signal) > 0,
    unref: () => void (isUnreferenced = true),
  })
  const system: ProcessSystem = {
    platform,
    windowsFolder: "C:\\Windows",
    spawn(command, args, spawnOptions) {
      spawned.push({ command, args, options: spawnOptions })
      if (spawned.length === 1) return child as unknown as ChildProcess
      const other = new EventEmitter()
      options.onSpawn?.(other)
      return other as unknown as ChildProcess
    },
    kill(pid, signal) {
      kills.push([pid, signal])
      throw Object.assign(new Error("kill ESRCH"), { code: "ESRCH" })
    },
  }
  return {
    system,
    stdin,
    stdout,
    spawned,
    isUnreferenced: () => isUnreferenced,
    signals,
    kills,
    exit(code, signal) {
      emitter.emit("exit", code, signal ?? null)
      stdout.end()
      stderr.end()
    },
    leave: (code) => void emitter.emit("exit", code, null),
    close: (code) => void emitter.emit("close", code, null),
    fail: (error) => void emitter.emit("error", error),
  }
}

/** An error as the system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`write ${code}`), { code })
}
