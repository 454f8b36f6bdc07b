import { createRoute, z } from "@hono/zod-openapi"
import { json } from "./answers.js"
import { callSignal, inJson, withBody, type Api } from "./route.js"
import { Count, Text } from "./schema-basics.js"
import { MaintainReport, PruneReport, RetentionPolicy, StoreStatus, VerifyReport } from "./schemas.js"
import { defined } from "./wire.js"

const health = createRoute({
  method: "get",
  path: "/api/health",
  summary: "Whether the server is there",
  responses: { 200: inJson(z.strictObject({ ok: z.literal(true), pid: Count, worktree: Text }).openapi("Health")) },
})

const status = createRoute({
  method: "get",
  path: "/api/status",
  summary: "What is in the store, in bytes and snapshots",
  responses: { 200: inJson(StoreStatus) },
})

const prune = createRoute({
  method: "post",
  path: "/api/prune",
  summary: "Let snapshots go by a policy, or tell which would go",
  request: withBody(z.strictObject({ policy: RetentionPolicy, dryRun: z.boolean().optional() })),
  responses: { 200: inJson(PruneReport) },
})

const verify = createRoute({
  method: "post",
  path: "/api/verify",
  summary: "Check every object, pack and ref of the store; repair what is wrong if asked",
  request: withBody(z.strictObject({ repair: z.boolean().optional() }), "optional"),
  responses: { 200: inJson(VerifyReport) },
})

const maintain = createRoute({
  method: "post",
  path: "/api/maintain",
  summary: "Give space back and put small packs together",
  request: withBody(z.strictObject({}), "optional"),
  responses: { 200: inJson(MaintainReport) },
})

/** What the store is, and looking after it. */
export function upkeepRoutes(api: Api): void {
  const { app, store } = api
  app.openapi(health, () => json({ ok: true as const, pid: process.pid, worktree: store.worktree }))
  app.openapi(status, async () => json(await store.status()))
  app.openapi(prune, async (context) => {
    const { policy, dryRun } = context.req.valid("json")
    return json(await store.prune(defined(policy), defined({ dryRun })))
  })
  app.openapi(verify, async (context) =>
    json(await store.verify({ ...defined(context.req.valid("json")), signal: callSignal(context, api) })),
  )
  app.openapi(maintain, async (context) => json(await store.maintain({ signal: callSignal(context, api) })))
}
