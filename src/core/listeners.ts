/** Who wants to know of which event: `Events` has the type of each event by its name. */
export class Listeners<Events> {
  readonly #known = new Map<keyof Events, Set<(event: never) => unknown>>()
  readonly #untold: (() => void)[] = []
  #isTelling = false

  /** Adds a listener. Gives what takes it away again. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): () => void {
    const known = this.#known.get(name) ?? new Set()
    this.#known.set(name, known)
    known.add(listener)
    return () => void known.delete(listener)
  }

  /**
   * Tells everybody who listens, in this turn. What a listener throws is dropped: what has happened stands, whatever he
   * makes of it. An event that comes of what a listener does is told after this one, so that all see one order.
   */
  tell<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    this.#untold.push(() => {
      for (const listener of this.#known.get(name) ?? []) {
        try {
          dropRejection((listener as (event: Events[Name]) => unknown)(event))
        } catch {
          // It is the listener's own business.
        }
      }
    })
    if (!this.#isTelling) this.#tellAll()
  }

  /** What is told in `step` is told after it: no listener comes in between. */
  together<Value>(step: () => Value): Value {
    if (this.#isTelling) return step()
    this.#isTelling = true
    try {
      return step()
    } finally {
      this.#tellAll()
    }
  }

  #tellAll(): void {
    this.#isTelling = true
    for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) next()
    this.#isTelling = false
  }
}

/**
 * Waits for what a listener gave, in nobody's way. It may be an async function, whatever its type says: left alone, its
 * failure would end a Node host.
 */
export function dropRejection(given: unknown): void {
  if (typeof given === "object" && given !== null) void settled(given)
}

async function settled(given: unknown): Promise<void> {
  try {
    await given
  } catch {
    // Nobody has waited for it.
  }
}
