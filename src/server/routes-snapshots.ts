import { createRoute, z } from "@hono/zod-openapi"
import { done, json } from "./answers.js"
import { callSignal, inJson, NOTHING, withBody, type Api } from "./route.js"
import { CountInQuery, Rev, TimeInQuery } from "./schema-basics.js"
import { CaptureRequest, CaptureResult, Snapshot, SnapshotSummary } from "./schemas.js"
import { defined } from "./wire.js"

const params = z.strictObject({ rev: Rev })

const list = createRoute({
  method: "get",
  path: "/api/snapshots",
  summary: "The snapshots of the workspace, newest first",
  request: {
    query: z.strictObject({
      kind: z.enum(["capture", "safety", "all"]).optional(),
      limit: CountInQuery.optional(),
      since: TimeInQuery.optional(),
      until: TimeInQuery.optional(),
    }),
  },
  responses: { 200: inJson(z.array(Snapshot)) },
})

const capture = createRoute({
  method: "post",
  path: "/api/snapshots",
  summary: "Make a snapshot of the work tree as it is",
  request: withBody(CaptureRequest, "optional"),
  responses: { 200: inJson(CaptureResult) },
})

const one = createRoute({
  method: "get",
  path: "/api/snapshots/{rev}",
  summary: "The snapshot that rev names",
  request: { params },
  responses: { 200: inJson(Snapshot) },
})

const forget = createRoute({
  method: "delete",
  path: "/api/snapshots/{rev}",
  summary: "Let one snapshot go",
  request: { params },
  responses: { 204: NOTHING },
})

const pin = createRoute({
  method: "put",
  path: "/api/snapshots/{rev}/pin",
  summary: "Pin a snapshot, so that retention never lets it go",
  request: { params },
  responses: { 204: NOTHING },
})

const unpin = createRoute({
  method: "delete",
  path: "/api/snapshots/{rev}/pin",
  summary: "Take the pin off",
  request: { params },
  responses: { 204: NOTHING },
})

const summary = createRoute({
  method: "get",
  path: "/api/snapshots/{rev}/summary",
  summary: "How much a snapshot changed against the one before it",
  request: { params },
  responses: { 200: inJson(SnapshotSummary) },
})

/** Making, listing, pinning and forgetting snapshots. */
export function snapshotRoutes(api: Api): void {
  const { app, store } = api
  app.openapi(list, async (context) => json(await store.list(defined(context.req.valid("query")))))
  app.openapi(capture, async (context) =>
    json(await store.capture({ ...defined(context.req.valid("json")), signal: callSignal(context, api) })),
  )
  app.openapi(one, async (context) => json(await store.resolve(context.req.valid("param").rev)))
  app.openapi(summary, async (context) => json(await store.summary(context.req.valid("param").rev)))
  app.openapi(forget, async (context) => {
    await store.forget(context.req.valid("param").rev)
    return done()
  })
  app.openapi(pin, async (context) => {
    await store.pin(context.req.valid("param").rev)
    return done()
  })
  app.openapi(unpin, async (context) => {
    await store.pin(context.req.valid("param").rev, false)
    return done()
  })
}
