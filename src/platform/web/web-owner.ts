import type { OwnerSource } from "../../core/owner.js"

/** A page tells nothing that another process could check. */
export function webOwner(): OwnerSource {
  return { current: () => Promise.resolve({}) }
}
