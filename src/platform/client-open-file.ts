import type { ClientFileHandle } from "../core/file-system-client.js"
import type { FileStat, OpenFile } from "../core/file-system.js"
import { clientStat } from "./client-stat.js"
import { ioError, refusal } from "./io-error.js"

/** An open file of a client. */
export class ClientOpenFile implements OpenFile {
  readonly #handle: ClientFileHandle
  readonly #path: string
  #closed: Promise<void> | undefined

  /** `path` is for messages. */
  constructor(handle: ClientFileHandle, path: string) {
    this.#handle = handle
    this.#path = path
  }

  stat(): Promise<FileStat> {
    return this.#use("look at the file", async () => clientStat(await this.#handle.stat({ bigint: true })))
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#use("read the file", async () => {
      let filled = 0
      while (filled < buffer.length) {
        const length = buffer.length - filled
        const { bytesRead } = await this.#handle.read(buffer, filled, length, position + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return filled
    })
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#use("write the file", async () => {
      let written = 0
      while (written < bytes.length) {
        const length = bytes.length - written
        const { bytesWritten } = await this.#handle.write(bytes, written, length, position + written)
        if (bytesWritten === 0) throw refusal("write the file", this.#path, "EIO")
        written += bytesWritten
      }
    })
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#use("cut the file", () => this.#handle.truncate(sizeBytes))
  }

  chmod(permissions: number): Promise<void> {
    return this.#use("set the permissions of the file", () => this.#handle.chmod(permissions))
  }

  sync(): Promise<void> {
    return this.#use("sync the file", async () => this.#handle.sync?.())
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #use<T>(action: string, call: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw refusal(action, this.#path, "EBADF")
    try {
      return await call()
    } catch (cause) {
      throw ioError(action, this.#path, cause)
    }
  }

  async #close(): Promise<void> {
    try {
      await this.#handle.close()
    } catch (cause) {
      throw ioError("close the file", this.#path, cause)
    }
  }
}
