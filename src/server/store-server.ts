/*
 * An HTTP server over a store: the API, and the page that shows it. Imports core, the contract, this folder and packages.
 */
import { SnapshotError } from "../core/errors.js"
import { randomHex } from "../core/random.js"
import type { SnapshotStore } from "../snapshot-store.js"
import { storeApi } from "./api.js"
import { eventStream, type EventTimes } from "./event-stream.js"
import { ownOrigins } from "./guard.js"
import { guardedApp } from "./guarded-app.js"
import { listen } from "./listen.js"
import { pageHost } from "./page-host.js"

/** What to serve, and to whom. */
export interface ServeOptions {
  readonly store: SnapshotStore
  /** Default: a free one. */
  readonly port?: number
  /** What every request of the API has to bear. Default: a random one. */
  readonly token?: string
  /** The folder of the built page. */
  readonly pageFolder: string
  /** The origin of a page elsewhere on this machine that may ask, too: "http://127.0.0.1:4321". */
  readonly pageOrigin?: string
  readonly eventTimes?: EventTimes
}

/** A store that is served. */
export interface StoreServer {
  /** Of the API: "http://127.0.0.1:<port>". */
  readonly url: string
  readonly token: string
  /** Of the page, with the token that it takes to see it. */
  readonly pageUrl: string
  /**
   * Stops taking requests, gives up captures, comparisons and checks, lets a running restore come to its end, and closes the
   * store. May be called more than once.
   */
  close(): Promise<void>
}

/** Serves `store` on 127.0.0.1. A port that is taken: IO_FAILED. */
export async function serveStore(options: ServeOptions): Promise<StoreServer> {
  const { store, port = 0, token = randomHex(32), pageFolder, pageOrigin, eventTimes } = options
  const pageToken = randomHex(16)
  const stopping = new AbortController()
  const events = eventStream(store, eventTimes)
  const http = await listen(port, (own) => {
    const origins = [...ownOrigins(own), ...(pageOrigin === undefined ? [] : [pageOrigin])]
    const app = guardedApp(own, origins)
    app.use(async (_context, next) => {
      stopping.signal.throwIfAborted()
      await next()
    })
    app.route("/", storeApi({ store, events, token, origins, stopping: stopping.signal }))
    const address = { url: `http://127.0.0.1:${own}`, token }
    app.route("/", pageHost({ token: pageToken, folder: pageFolder, address: () => address }))
    return app
  })
  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    http.stop()
    events.close()
    stopping.abort(new SnapshotError("CLOSED", "The server is stopping. Ask again when there is a new one.", {}))
    await store.close()
    await http.end()
  }
  return {
    url: http.url,
    token,
    pageUrl: `${http.url}/${pageToken}/`,
    close() {
      closing ??= close()
      return closing
    },
  }
}
