import { Hono, type Context } from "hono"
import { readPage, type PageFile } from "./page-files.js"
import { Refusal } from "./problem.js"
import { sameSecret } from "./secret.js"

/** Where the API is, and what it wants to see. */
export interface ApiAddress {
  readonly url: string
  readonly token: string
}

/** What a page is served from. */
export interface PageOptions {
  /** The first part of every path below which the page is. */
  readonly token: string
  /** The built page: index.html and what it loads. */
  readonly folder: string
  /** Where the API is now; undefined while there is none. */
  address(): ApiAddress | undefined
}

/** Serves the page, and the address of the API to it: `/<token>/` and `/<token>/address`. */
export function pageHost({ token, folder, address }: PageOptions): Hono {
  const app = new Hono()
  let files: Promise<ReadonlyMap<string, PageFile>> | undefined

  app.use("/:token/*", async (context, next) => {
    if (!sameSecret(context.req.param("token"), token)) throw nothingHere()
    for (const [name, value] of HEADERS) context.header(name, value)
    await next()
  })
  app.get("/:token", (context) => context.redirect(`/${token}/`))
  app.get("/:token/address", (context) => {
    context.header("Cache-Control", "no-store")
    const found = address()
    if (found !== undefined) return context.json(found)
    return context.json({ error: { code: "CLOSED", message: "There is no server now. Ask again in a moment." } }, 503)
  })
  app.get("/:token/*", async (context) => {
    files ??= readPage(folder)
    const name = context.req.path.slice(token.length + 2)
    const file = (await files).get(name === "" ? "index.html" : decodeURIComponent(name))
    if (file !== undefined) return context.body(file.bytes, 200, { "Content-Type": file.type })
    if (name === "") return missingPage(context)
    throw nothingHere()
  })
  return app
}

function missingPage(context: Context): Response {
  return context.text("The page is not built. npm run build makes it; the API works without.\n", 404)
}

function nothingHere(): Refusal {
  return new Refusal("NOT_FOUND", "There is nothing at this address. Open the one that treeshot printed.")
}

/** The page loads what stands beside it, talks to this machine, and nobody shows it inside of something else. */
const POLICY = [
  "default-src 'self'",
  "connect-src 'self' http://127.0.0.1:*",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ")

const HEADERS = [
  ["Content-Security-Policy", POLICY],
  ["Referrer-Policy", "no-referrer"],
  ["X-Content-Type-Options", "nosniff"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Cache-Control", "no-cache"],
] as const
