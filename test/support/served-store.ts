/*
 * A store behind the server, and requests to it as they are on the wire.
 */
import { request, type IncomingHttpHeaders } from "node:http"
import { onTestFinished } from "vitest"
import type { SnapshotStore } from "../../src/index.js"
import { serveStore, type ServeOptions, type StoreServer } from "../../src/server/store-server.js"

/** An answer. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  /** The body as JSON; undefined when it is empty. */
  readonly json: unknown
}

/** How to ask. */
export interface Question {
  readonly headers?: Readonly<Record<string, string>>
  /** As JSON, unless it is bytes. */
  readonly body?: unknown
  /** Does not say how long the body is. */
  readonly chunked?: boolean
  readonly signal?: AbortSignal
}

/** A server, and somebody who asks it with the right token. */
export interface ServedStore {
  readonly server: StoreServer
  readonly port: number
  ask(method: string, path: string, question?: Question): Promise<Answer>
}

/** Serves `store` until the test has finished. */
export async function serve(store: SnapshotStore, options: Partial<ServeOptions> = {}): Promise<ServedStore> {
  const server = await serveStore({ store, pageFolder: "/nowhere", ...options })
  onTestFinished(() => server.close())
  return {
    server,
    port: Number(new URL(server.url).port),
    ask: (method, path, question = {}) =>
      ask(server.url, method, path, {
        ...question,
        headers: { Authorization: `Bearer ${server.token}`, ...question.headers },
      }),
  }
}

/** Sends one request, with these headers and no others but Host and what the body needs. */
export function ask(
  url: string,
  method: string,
  path: string,
  { headers = {}, body, chunked = false, signal }: Question = {},
): Promise<Answer> {
  const content = body === undefined || body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body))
  const { hostname, port } = new URL(url)
  const ofBody =
    content === undefined
      ? {}
      : {
          "Content-Type": "application/json",
          ...(chunked ? { "Transfer-Encoding": "chunked" } : { "Content-Length": String(content.length) }),
        }
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, method, path, headers: { ...ofBody, ...headers }, agent: false, ...(signal && { signal }) },
      (response) => {
        const parts: Buffer[] = []
        response.on("data", (part: Buffer) => parts.push(part))
        response.on("error", reject)
        response.on("end", () => {
          const bytes = Buffer.concat(parts)
          const isJson = response.headers["content-type"]?.startsWith("application/json") === true
          const json: unknown = isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : undefined
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, json })
        })
      },
    )
    sent.on("error", reject)
    sent.end(content)
  })
}

/** What JSON makes of a result. */
export function wire(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** The code that an answer tells. */
export function codeOf({ json }: Answer): unknown {
  return (json as { readonly error?: { readonly code?: unknown } } | undefined)?.error?.code
}
