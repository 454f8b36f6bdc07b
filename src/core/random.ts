/** `count` random bytes from the system's source, as lowercase hex digits. */
export function randomHex(count: number): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(count))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
