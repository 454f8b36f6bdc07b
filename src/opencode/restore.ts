import { carryOut } from "./carry-out.js"
import type { Place } from "./place.js"
import { requireHash, snapshotOf } from "./snapshot-of.js"

/** Makes all files what they were in the tree `hash`; files added since stay. `tell` gets what could not be done. */
export async function restore(place: Place, hash: string, tell: (error: unknown) => void): Promise<void> {
  const { store, filter } = place
  const snapshot = await snapshotOf(store, requireHash(hash))
  const plan = await store.plan({ to: snapshot?.id ?? hash }, { ...filter, added: "keep" })
  await carryOut(store, plan, tell)
}
