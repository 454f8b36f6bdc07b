import type { FileStat, OpenFile } from "../../core/file-system.js"
import { ioError, refusal } from "../io-error.js"
import type { NodeCalls } from "./node-calls.js"
import { fileStat } from "./node-stat.js"

/**
 * An open descriptor. The system gives the number of a closed one to the next file that is opened, so no call reaches
 * the system after `close`, and `close` waits for the calls that are under way.
 */
export class NodeOpenFile implements OpenFile {
  readonly opened?: FileStat
  readonly #calls: NodeCalls
  readonly #fd: number
  readonly #path: string
  #underWay = 0
  #whenIdle: (() => void) | undefined
  #closed: Promise<void> | undefined

  /** `path` is for messages. */
  constructor(calls: NodeCalls, fd: number, path: string, opened?: FileStat) {
    if (opened !== undefined) this.opened = opened
    this.#calls = calls
    this.#fd = fd
    this.#path = path
  }

  stat(): Promise<FileStat> {
    return this.#use("look at the file", async () => fileStat(await this.#calls.fstat(this.#fd)))
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#use("read the file", () => this.#calls.read(this.#fd, buffer, position))
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#use("write the file", () => this.#calls.write(this.#fd, bytes, position))
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#use("cut the file", () => this.#calls.truncate(this.#fd, sizeBytes))
  }

  chmod(permissions: number): Promise<void> {
    return this.#use("set the permissions of the file", () => this.#calls.fchmod(this.#fd, permissions))
  }

  sync(): Promise<void> {
    return this.#use("sync the file", () => this.#calls.fsync(this.#fd))
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #use<T>(action: string, call: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw refusal(action, this.#path, "EBADF")
    this.#underWay += 1
    try {
      return await call()
    } catch (cause) {
      throw ioError(action, this.#path, cause)
    } finally {
      this.#underWay -= 1
      if (this.#underWay === 0) this.#whenIdle?.()
    }
  }

  async #close(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve))
    try {
      await this.#calls.close(this.#fd)
    } catch (cause) {
      throw ioError("close the file", this.#path, cause)
    }
  }
}
