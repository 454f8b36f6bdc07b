import { sha1 as nobleSha1 } from "@noble/hashes/legacy.js"
import type { Hasher, RunningHash } from "../../core/hasher.js"
import { concat } from "../../core/bytes.js"

/**
 * SHA-1 without node: WebCrypto for what is large enough to be worth the way there, @noble/hashes for the rest. Pages
 * that did not come over https have no `subtle`, and noble does it all.
 */
export function webHasher(crypto: { readonly subtle?: SubtleCrypto } = globalThis.crypto): Hasher {
  return { sha1: (parts) => sha1(parts, crypto.subtle), start }
}

function sha1(parts: readonly Uint8Array[], subtle?: SubtleCrypto): Uint8Array | Promise<Uint8Array> {
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0)
  if (sizeBytes >= WORTH_WEBCRYPTO_BYTES && subtle !== undefined) return digest(subtle, concat(parts))
  const hash = start()
  for (const part of parts) hash.update(part)
  return hash.digest()
}

async function digest(subtle: SubtleCrypto, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await subtle.digest("SHA-1", bytes as Uint8Array<ArrayBuffer>))
}

function start(): RunningHash {
  const hash = nobleSha1.create()
  return {
    update(bytes: Uint8Array): void {
      hash.update(bytes)
    },
    digest: (): Uint8Array => hash.digest(),
  }
}

/** Measured: at this size both take about as long. */
const WORTH_WEBCRYPTO_BYTES = 16 * 1024
