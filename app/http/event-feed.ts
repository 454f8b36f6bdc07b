import { createParser } from "eventsource-parser"
import type { Address } from "./address.js"
import { send } from "./request.js"

/** An event as the server tells it: its name, and its data as JSON. */
export type OnEvent = (name: string, data: unknown) => void

/**
 * Reads the server's events until it ends them, falls silent for longer than its heartbeat allows, or `signal` aborts.
 * Read with fetch, since an EventSource can send no token.
 */
export async function followEvents(address: Address, onEvent: OnEvent, signal: AbortSignal): Promise<void> {
  const silence = new AbortController()
  const either = AbortSignal.any([signal, silence.signal])
  let timer = setTimeout(() => silence.abort(), SILENCE_MS)
  try {
    const response = await send(address, { path: "events", signal: either })
    const parser = createParser({ onEvent: ({ event, data }) => onEvent(event ?? "message", JSON.parse(data)) })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), SILENCE_MS)
      parser.feed(part.value)
    }
  } finally {
    clearTimeout(timer)
  }
}

/** The server sends something every 15 seconds. */
const SILENCE_MS = 40_000
