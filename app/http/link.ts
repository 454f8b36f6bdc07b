/*
 * Finds the server, follows its events, and finds it again when it is gone, at whatever address it has by then.
 */
import type { Connection, ConnectionState } from "../client.js"
import { askAddress, type Address } from "./address.js"
import { followEvents, type OnEvent } from "./event-feed.js"

/** The way to the server. */
export interface Link extends Connection {
  /** Undefined while there is none. */
  readonly address: Address | undefined
  /** Something went wrong on the way to the server: it is looked for anew. */
  doubt(): void
  close(): void
}

/** Starts looking at once. `place` is the page's own address of the API's address. */
export function openLink(place: URL, onEvent: OnEvent): Link {
  const listeners = new Set<(state: ConnectionState) => void>()
  const closing = new AbortController()
  let state: ConnectionState = "connecting"
  let address: Address | undefined
  let following = new AbortController()
  let wake = (): void => {}

  function enter(next: ConnectionState): void {
    if (state === next) return
    state = next
    for (const listener of listeners) listener(next)
  }

  async function follow(): Promise<void> {
    following = new AbortController()
    const signal = AbortSignal.any([closing.signal, following.signal])
    const found = await askAddress(place, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]))
    if (found === undefined) return
    const told: OnEvent = (name, data) => {
      onEvent(name, data)
      if (name !== "hello") return
      address = found
      enter("connected")
    }
    await followEvents(found, told, signal)
  }

  async function run(): Promise<void> {
    let waitMs = FIRST_WAIT_MS
    while (!closing.signal.aborted) {
      await follow().catch(() => {})
      if (address !== undefined) waitMs = FIRST_WAIT_MS
      address = undefined
      if (state === "connected") enter("lost")
      await new Promise<void>((resolve) => {
        wake = resolve
        setTimeout(resolve, closing.signal.aborted ? 0 : waitMs)
      })
      waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)
    }
  }

  void run()
  return {
    get state() {
      return state
    },
    get address() {
      return address
    },
    on(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    retry: () => wake(),
    doubt: () => following.abort(),
    close() {
      closing.abort()
      wake()
    },
  }
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2_000
/** The page's own host answers at once, or it is gone. */
const ANSWER_MS = 5_000
