import type { StoreEvents } from "../../src/snapshot-store.js"
import type { StoreClient } from "../client.js"

type Name = keyof StoreEvents
type Listener = (event: StoreEvents[Name]) => void

/** Who wants to be told of which event. */
export interface Listeners {
  readonly on: StoreClient["on"]
  tell<One extends Name>(name: One, event: StoreEvents[One]): void
}

export function listeners(): Listeners {
  const all = new Map<Name, Set<Listener>>()
  return {
    on(name, listener) {
      const those = all.get(name) ?? new Set()
      all.set(name, those.add(listener as Listener))
      return () => those.delete(listener as Listener)
    },
    tell(name, event) {
      for (const listener of all.get(name) ?? []) listener(event)
    },
  }
}
