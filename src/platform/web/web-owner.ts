import type { OwnerSource } from "../../core/owner.js"

/** A page tells nothing that another process could check, and can check nobody. */
export function webOwner(): OwnerSource {
  return { current: () => Promise.resolve({}), isAlive: () => Promise.resolve("unknown") }
}
