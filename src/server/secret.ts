import { createHash, timingSafeEqual } from "node:crypto"

/** Whether two secrets are the same. It takes as long whatever they have in common. */
export function sameSecret(given: string, secret: string): boolean {
  return timingSafeEqual(digest(given), digest(secret))
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest()
}
