import type { MiddlewareHandler } from "hono"
import { SnapshotError } from "../core/errors.js"
import { BODY_BYTES, PLAN_BODY_BYTES } from "./limits.js"
import { Refusal } from "./problem.js"

/**
 * Refuses bodies that are too long, before any of it is read: TOO_LARGE. `plans` are paths whose bodies may carry a plan. A
 * body has to say how long it is: INVALID_ARGUMENT.
 */
export function limitedBody(plans: readonly string[]): MiddlewareHandler {
  return async (context, next) => {
    if (context.req.header("Transfer-Encoding") !== undefined)
      throw new SnapshotError("INVALID_ARGUMENT", "Send the body in one piece, with its Content-Length.", {
        argument: "Content-Length",
      })
    const most = plans.includes(context.req.path) ? PLAN_BODY_BYTES : BODY_BYTES
    if (Number(context.req.header("Content-Length") ?? 0) > most)
      throw new Refusal("TOO_LARGE", `A body may have ${most} bytes here. Ask for less at a time.`)
    await next()
  }
}
