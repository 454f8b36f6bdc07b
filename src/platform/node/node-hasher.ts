import { createHash, hash } from "node:crypto"
import type { Hasher, RunningHash } from "../../core/hasher.js"

/** SHA-1 by OpenSSL. */
export function nodeHasher(): Hasher {
  return { sha1, start }
}

function sha1(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  // At once takes a third of the time.
  if (first !== undefined && parts.length === 1) return plainBytes(hash("sha1", first, "buffer"))
  const running = start()
  for (const part of parts) running.update(part)
  return running.digest()
}

function start(): RunningHash {
  const running = createHash("sha1")
  return {
    update(bytes: Uint8Array): void {
      running.update(bytes)
    },
    digest: (): Uint8Array => plainBytes(running.digest()),
  }
}

function plainBytes({ buffer, byteOffset, length }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length)
}
