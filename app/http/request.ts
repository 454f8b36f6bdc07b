import type { Address } from "./address.js"
import { errorOf } from "./store-error.js"

/** A request to the API. */
export interface Request {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE"
  /** Below /api, with its parts encoded. */
  readonly path: string
  /** A list gives its name once for each value. */
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
}

/** Sends a request. An answer that tells of a failure: StoreError. What fetch throws when nobody answers gets through. */
export async function send({ url, token }: Address, request: Request): Promise<Response> {
  const { method = "GET", path, query = {}, body, signal } = request
  const target = new URL(`/api/${path}`, url)
  for (const [name, value] of Object.entries(query))
    for (const one of [value ?? []].flat()) target.searchParams.append(name, String(one))
  const response = await fetch(target, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
    cache: "no-store",
    credentials: "omit",
  })
  if (response.ok) return response
  throw errorOf(response.status, await response.json().catch(() => undefined))
}
