/*
 * What a request has to be before anybody looks at what it asks for. A page of another site that the user's browser shows
 * can send requests here, and can make a name of its own lead to 127.0.0.1: its Host, Origin and Sec-Fetch-Site tell.
 */
import type { MiddlewareHandler } from "hono"
import { cors } from "hono/cors"
import { Refusal } from "./problem.js"
import { sameSecret } from "./secret.js"

/** Lets pass what was sent to this port of this machine by a page of `origins`, or by no page: FORBIDDEN. */
export function guard(port: number, origins: readonly string[]): MiddlewareHandler {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  return async (context, next) => {
    const host = context.req.header("Host")
    if (host === undefined || !hosts.includes(host))
      throw new Refusal("FORBIDDEN", `This server is called ${hosts[0]}, not by another name.`)
    const origin = context.req.header("Origin")
    if (origin !== undefined && !origins.includes(origin))
      throw new Refusal("FORBIDDEN", "Pages of other origins may not ask this server.")
    if (context.req.header("Sec-Fetch-Site") === "cross-site")
      throw new Refusal("FORBIDDEN", "Pages of other sites may not ask this server.")
    await next()
  }
}

/** The origins of pages that this port serves. */
export function ownOrigins(port: number): string[] {
  return [`http://127.0.0.1:${port}`, `http://localhost:${port}`]
}

/** Answers for pages of `origins` that ask from another port of this machine, preflights included. */
export function sharedWith(origins: readonly string[]): MiddlewareHandler {
  return cors({
    origin: [...origins],
    allowMethods: ["GET", "POST", "PUT", "DELETE"],
    allowHeaders: ["Authorization", "Content-Type"],
    exposeHeaders: ["Allow"],
    maxAge: 600,
  })
}

/** Lets pass what bears `token`: UNAUTHORIZED. */
export function bearer(token: string): MiddlewareHandler {
  return async (context, next) => {
    const [, given] = /^Bearer +([\x21-\x7e]+)$/i.exec(context.req.header("Authorization") ?? "") ?? []
    if (given === undefined || !sameSecret(given, token))
      throw new Refusal("UNAUTHORIZED", "Send the server's token: Authorization: Bearer <token>.", {
        "WWW-Authenticate": "Bearer",
      })
    await next()
  }
}
