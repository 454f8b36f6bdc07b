import { randomHex } from "../core/random.js"
import { ownOrigins } from "./guard.js"
import { guardedApp } from "./guarded-app.js"
import { listen } from "./listen.js"
import { pageHost, type PageOptions } from "./page-host.js"

/** The page by itself, while the API comes and goes elsewhere. */
export interface PageServer {
  /** "http://127.0.0.1:<port>": the origin of the page. */
  readonly origin: string
  /** With the token that it takes to see it. */
  readonly pageUrl: string
  close(): Promise<void>
}

/** Serves the page on 127.0.0.1, on `port` or with 0 on a free one: IO_FAILED when it is taken. */
export async function servePage(port: number, page: Omit<PageOptions, "token">): Promise<PageServer> {
  const token = randomHex(16)
  const http = await listen(port, (own) => {
    const app = guardedApp(own, ownOrigins(own))
    app.route("/", pageHost({ ...page, token }))
    return app
  })
  return { origin: http.url, pageUrl: `${http.url}/${token}/`, close: () => http.end() }
}
