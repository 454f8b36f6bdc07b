import { createRoute, z } from "@hono/zod-openapi"
import type { RestorePlan as Plan } from "../snapshot-store.js"
import { json } from "./answers.js"
import { callSignal, inJson, withBody, type Api } from "./route.js"
import { Rev } from "./schema-basics.js"
import { RestoreOptions, RestorePlan, RestoreReport, RestoreTarget, RevertOptions } from "./schemas.js"
import { defined } from "./wire.js"

const Nothing = z.strictObject({})

const plan = createRoute({
  method: "post",
  path: "/api/plan",
  summary: "What a restore would do; touches nothing",
  request: withBody(z.strictObject({ target: RestoreTarget, options: RevertOptions.optional() })),
  responses: { 200: inJson(RestorePlan) },
})

const apply = createRoute({
  method: "post",
  path: "/api/apply",
  summary: "Do what a plan says, and keep every path that is no longer what the plan saw",
  request: withBody(z.strictObject({ plan: RestorePlan })),
  responses: { 200: inJson(RestoreReport) },
})

const restore = createRoute({
  method: "post",
  path: "/api/restore",
  summary: "Make the work tree what it was in a snapshot",
  request: withBody(z.strictObject({ rev: Rev, options: RestoreOptions.optional() })),
  responses: { 200: inJson(RestoreReport) },
})

const revert = createRoute({
  method: "post",
  path: "/api/revert",
  summary: "Take back what changed from one snapshot to another, and only that",
  request: withBody(z.strictObject({ from: Rev, to: Rev, options: RevertOptions.optional() })),
  responses: { 200: inJson(RestoreReport) },
})

const undo = createRoute({
  method: "post",
  path: "/api/undo",
  summary: "Take back the last restore or revert",
  request: withBody(Nothing, "optional"),
  responses: { 200: inJson(RestoreReport) },
})

const redo = createRoute({
  method: "post",
  path: "/api/redo",
  summary: "Do again what was undone last",
  request: withBody(Nothing, "optional"),
  responses: { 200: inJson(RestoreReport) },
})

/** Planning and carrying out restores. What was begun is carried to its end, even when nobody waits for the answer. */
export function restoreRoutes(api: Api): void {
  const { app, store } = api
  app.openapi(plan, async (context) => {
    const { target, options = {} } = context.req.valid("json")
    return json(await store.plan(target, { ...defined(options), signal: callSignal(context, api) }))
  })
  // JSON holds no undefined, which is all that the schema's type has more than the plan's.
  app.openapi(apply, async (context) => json(await store.apply(context.req.valid("json").plan as Plan)))
  app.openapi(restore, async (context) => {
    const { rev, options = {} } = context.req.valid("json")
    return json(await store.restore(rev, defined(options)))
  })
  app.openapi(revert, async (context) => {
    const { from, to, options = {} } = context.req.valid("json")
    return json(await store.revert(from, to, defined(options)))
  })
  app.openapi(undo, async () => json(await store.undo()))
  app.openapi(redo, async () => json(await store.redo()))
}
