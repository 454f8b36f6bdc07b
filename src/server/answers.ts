/*
 * Answers, with types by which a route's description is held to what its handler gives.
 */
import type { TypedResponse } from "hono"
import { jsonStream } from "./json-stream.js"
import type { Wire } from "./wire.js"

/** `value` as JSON. */
export function json<Value extends object>(value: Value): TypedResponse<Wire<Value>, 200, "json"> {
  const headers = { "Content-Type": "application/json", "Cache-Control": "no-store" }
  return typed(new Response(jsonStream(value), { headers }))
}

/** `content`, which no browser is to take for anything else than it says. */
export function bytes<Type extends string>(
  content: Uint8Array | ReadableStream<Uint8Array>,
  type: Type,
): Response & TypedResponse<string, 200, string> {
  const headers = { "Content-Type": type, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store" }
  return typed(new Response(content as Uint8Array<ArrayBuffer>, { headers }))
}

/** It is done, and there is nothing to tell. */
export function done(): Response {
  return new Response(null, { status: 204 })
}

/** hono's type of an answer names what is in it, for the compiler only. */
function typed<Answer>(response: Response): Answer {
  return response as unknown as Answer
}
