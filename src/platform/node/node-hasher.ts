import { createHash } from "node:crypto"
import type { Hasher, RunningHash } from "../../core/hasher.js"

/** SHA-1 by OpenSSL. */
export function nodeHasher(): Hasher {
  return { sha1, start }
}

function sha1(parts: readonly Uint8Array[]): Uint8Array {
  const hash = start()
  for (const part of parts) hash.update(part)
  return hash.digest()
}

function start(): RunningHash {
  const hash = createHash("sha1")
  return {
    update(bytes: Uint8Array): void {
      hash.update(bytes)
    },
    digest: (): Uint8Array => Uint8Array.from(hash.digest()),
  }
}
