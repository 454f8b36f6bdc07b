import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { getRequestListener, RequestError } from "@hono/node-server"
import type { Hono } from "hono"
import { SnapshotError } from "../core/errors.js"
import { HEADER_BYTES } from "./limits.js"
import { problem } from "./problem.js"

/** A server on 127.0.0.1. */
export interface HttpServer {
  /** "http://127.0.0.1:<port>". */
  readonly url: string
  /** Takes no new connections. What runs goes on. */
  stop(): void
  /** Resolves when all answers have gone out, or their readers had their time for it. */
  end(): Promise<void>
}

/** Serves what `appOn` gives for the port that it is on: `port`, or with 0 a free one. A port that is taken: IO_FAILED. */
export async function listen(port: number, appOn: (port: number) => Hono): Promise<HttpServer> {
  const server = createServer({ maxHeaderSize: HEADER_BYTES })
  let open = 0
  server.on("request", (_request, response) => {
    open++
    response.once("close", () => {
      open--
      if (!server.listening && open === 0) server.closeAllConnections()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(cannotListen(port, cause)))
    server.listen(port, "127.0.0.1", () => {
      // Nobody knows of the port before this, so no request comes too early.
      const answer = getRequestListener(appOn((server.address() as AddressInfo).port).fetch, ADAPTER)
      server.on("request", (incoming, outgoing) => void answer(incoming, outgoing))
      resolve()
    })
  })
  const { port: own } = server.address() as AddressInfo
  let closed: Promise<void> | undefined
  const stop = (): Promise<void> => {
    closed ??= new Promise((resolve) => server.close(() => resolve()))
    return closed
  }
  return {
    url: `http://127.0.0.1:${own}`,
    stop: () => void stop(),
    async end() {
      const ended = stop()
      if (open === 0) server.closeAllConnections()
      const timer = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS)
      await ended
      clearTimeout(timer)
    },
  }
}

const ADAPTER = {
  overrideGlobalObjects: false,
  hostname: "127.0.0.1",
  // Node takes what is left of a body in by itself: who sends on gets the answer, not a broken connection.
  autoCleanupIncoming: false,
  errorHandler: (error: unknown) => problem(error instanceof RequestError ? unreadable() : error),
} as const

function unreadable(): SnapshotError {
  return new SnapshotError("INVALID_ARGUMENT", "The request's address or Host cannot be read.", { argument: "request" })
}

function cannotListen(port: number, cause: NodeJS.ErrnoException): SnapshotError {
  const errno = cause.code ?? "unknown"
  const details = { action: "listen", path: `127.0.0.1:${port}`, errno }
  return new SnapshotError(
    "IO_FAILED",
    `Could not listen on 127.0.0.1:${port}: ${errno}. Without a port, a free one is taken.`,
    details,
    cause,
  )
}

/** So long may answers take that are under way when everything else has ended. */
const LAST_ANSWERS_MS = 2000
