import { Hono } from "hono"
import { guard } from "./guard.js"
import { problem, Refusal } from "./problem.js"

/** An app that answers only what comes from this machine and from pages of `origins`, and tells what went wrong as JSON. */
export function guardedApp(port: number, origins: readonly string[]): Hono {
  const app = new Hono()
  app.onError((error) => problem(error))
  app.notFound(() => problem(new Refusal("NOT_FOUND", "There is nothing at this address.")))
  app.use(guard(port, origins))
  return app
}
