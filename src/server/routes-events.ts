import type { HttpBindings } from "@hono/node-server"
import { createRoute } from "@hono/zod-openapi"
import { bytes } from "./answers.js"
import { asBytes, type Api } from "./route.js"

const events = createRoute({
  method: "get",
  path: "/api/events",
  summary:
    "Server-sent events: hello, progress, captured, restored, maintained and recovered, each with its data as JSON",
  responses: { 200: asBytes("text/event-stream") },
})

/** What happens in the store, as it happens. */
export function eventRoutes({ app, events: stream }: Api): void {
  app.openapi(events, ({ env }) => {
    const { outgoing } = env as HttpBindings
    return bytes(
      stream.open(() => outgoing.destroy()),
      "text/event-stream",
    )
  })
}
