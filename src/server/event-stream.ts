/*
 * The store's events for any number of readers, as server-sent events.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import { utf8 } from "../core/bytes.js"
import type { SnapshotStore, StoreEvents } from "../snapshot-store.js"
import { EVENT_BYTES } from "./limits.js"

/** Gives each reader the events from now on. */
export interface EventStream {
  /**
   * An event `hello` first, then those of the store, each as JSON; now and then a comment, so that a dead connection shows.
   * `giveUp` is called when the reader takes nothing: it is to cancel the stream.
   */
  open(giveUp: () => void): ReadableStream<Uint8Array<ArrayBuffer>>
  /** Ends what was opened. */
  close(): void
}

/** How often what happens often is told. */
export interface EventTimes {
  /** From a comment to the next one. */
  readonly heartbeatMs: number
  /** From one progress to the next; those in between are dropped, but for the last one. */
  readonly progressMs: number
}

const USUAL: EventTimes = { heartbeatMs: 15_000, progressMs: 100 }

/** The events of `store`. A reader that is slow is not told of every progress; one that takes nothing at all is given up. */
export function eventStream(store: SnapshotStore, times: EventTimes = USUAL): EventStream {
  type Reader = ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>
  const readers = new Map<Reader, () => void>()
  const hello = { worktree: store.worktree, workspace: store.workspace, pid: process.pid }
  let latest: StoreEvents["progress"] | undefined
  let pause: NodeJS.Timeout | undefined
  let heartbeat: NodeJS.Timeout | undefined

  function leave(reader: Reader): void {
    readers.delete(reader)
    if (readers.size > 0) return
    clearInterval(heartbeat)
    heartbeat = undefined
  }

  function send(text: string, isDispensable: boolean): void {
    if (readers.size === 0) return
    const bytes = utf8(text) as Uint8Array<ArrayBuffer>
    for (const [reader, giveUp] of [...readers]) {
      const room = reader.desiredSize ?? 0
      if (isDispensable && room < EVENT_BYTES / 2) continue
      if (room > 0) reader.enqueue(bytes)
      else {
        leave(reader)
        giveUp()
      }
    }
  }

  function tellLatest(): void {
    clearTimeout(pause)
    pause = undefined
    if (latest === undefined) return
    send(eventText("progress", latest), true)
    latest = undefined
    pause = setTimeout(tellLatest, times.progressMs)
    pause.unref()
  }

  const listening = [
    store.on("progress", (progress) => {
      if (readers.size === 0) return
      latest = progress
      if (pause === undefined) tellLatest()
    }),
    ...NAMES.map((name) =>
      store.on(name, (event) => {
        if (readers.size === 0) return
        tellLatest()
        send(eventText(name, event), false)
      }),
    ),
  ]

  return {
    open(giveUp) {
      let self: Reader
      return new ReadableStream<Uint8Array<ArrayBuffer>>(
        {
          start(controller) {
            self = controller
            readers.set(self, giveUp)
            heartbeat ??= setInterval(() => send(":\n\n", true), times.heartbeatMs)
            heartbeat.unref()
            self.enqueue(utf8(eventText("hello", hello)) as Uint8Array<ArrayBuffer>)
          },
          cancel: () => leave(self),
        },
        { highWaterMark: EVENT_BYTES, size: (chunk) => chunk.length },
      )
    },
    close() {
      for (const stop of listening) stop()
      clearTimeout(pause)
      for (const reader of [...readers.keys()]) {
        leave(reader)
        reader.close()
      }
    },
  }
}

function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** But for progress. */
const NAMES = ["captured", "restored", "maintained", "recovered"] as const
