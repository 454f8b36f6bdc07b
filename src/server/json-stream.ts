import { utf8 } from "../core/bytes.js"
import { pauses } from "../core/turns.js"

/**
 * `document` as JSON, in pieces, made as they are read. The items of a list, and of the lists in an object, are made one
 * by one: however many there are, the event loop comes round in between.
 */
export function jsonStream(document: object): ReadableStream<Uint8Array<ArrayBuffer>> {
  const parts = partsOf(document)
  const pause = pauses()
  return new ReadableStream({
    async pull(controller) {
      let text = ""
      while (text.length < PIECE) {
        const { done, value } = parts.next()
        if (done === true) {
          if (text !== "") controller.enqueue(encoded(text))
          controller.close()
          return
        }
        text += value
        await pause()
      }
      controller.enqueue(encoded(text))
    },
  })
}

function* partsOf(document: object): Generator<string, undefined> {
  if (Array.isArray(document)) return yield* itemsOf(document)
  let before = "{"
  for (const [key, value] of Object.entries(document)) {
    if (value === undefined) continue
    yield `${before}${JSON.stringify(key)}:`
    if (Array.isArray(value)) yield* itemsOf(value)
    else yield JSON.stringify(value)
    before = ","
  }
  yield before === "{" ? "{}" : "}"
  return undefined
}

function* itemsOf(items: readonly unknown[]): Generator<string, undefined> {
  let before = "["
  for (const item of items) {
    yield `${before}${JSON.stringify(item)}`
    before = ","
  }
  yield before === "[" ? "[]" : "]"
  return undefined
}

function encoded(text: string): Uint8Array<ArrayBuffer> {
  return utf8(text) as Uint8Array<ArrayBuffer>
}

/** Characters. */
const PIECE = 64 * 1024
