import { createRoute, z } from "@hono/zod-openapi"
import { escapePath } from "../core/path.js"
import { bytes, json } from "./answers.js"
import { Refusal } from "./problem.js"
import { asBytes, callSignal, inJson, withBody, type Api } from "./route.js"
import { CountInQuery, Path, PathsInQuery, Rev } from "./schema-basics.js"
import { Change, DiffRequest, FileDiff } from "./schemas.js"
import { defined } from "./wire.js"

const sides = {
  from: Rev,
  to: Rev.optional().openapi({ description: "The work tree as it is now, unless given" }),
  path: PathsInQuery.optional(),
  glob: PathsInQuery.optional(),
}
const withContext = z.strictObject({ ...sides, context: CountInQuery.optional() })

const changes = createRoute({
  method: "get",
  path: "/api/changes",
  summary: "The files that differ",
  request: { query: z.strictObject(sides) },
  responses: { 200: inJson(z.array(Change)) },
})

const diff = createRoute({
  method: "get",
  path: "/api/diff",
  summary: "The files that differ, with line counts and patches for people",
  request: { query: withContext },
  responses: { 200: inJson(z.array(FileDiff)) },
})

const diffOfMany = createRoute({
  method: "post",
  path: "/api/diff",
  summary: "The same for more paths than an address holds",
  request: withBody(DiffRequest),
  responses: { 200: inJson(z.array(FileDiff)) },
})

const patch = createRoute({
  method: "get",
  path: "/api/patch",
  summary: "One patch of all that differs, byte for byte as git apply takes it",
  request: { query: withContext },
  responses: { 200: asBytes("text/x-diff") },
})

const file = createRoute({
  method: "get",
  path: "/api/file",
  summary: "The content of a file in a snapshot, or the text of a link",
  request: { query: z.strictObject({ rev: Rev, path: Path }) },
  responses: { 200: asBytes("application/octet-stream") },
})

/** What differs, and what is in files. */
export function compareRoutes(api: Api): void {
  const { app, store } = api
  app.openapi(changes, async (context) => {
    const { from, to, path, glob } = context.req.valid("query")
    return json(await store.changes(from, to, defined({ paths: path, globs: glob })))
  })
  app.openapi(diff, async (context) => {
    const { from, to, path, glob, context: lines } = context.req.valid("query")
    const options = { ...defined({ paths: path, globs: glob, context: lines }), signal: callSignal(context, api) }
    return json(await store.diff(from, to, options))
  })
  app.openapi(diffOfMany, async (context) => {
    const { from, to, ...options } = context.req.valid("json")
    return json(await store.diff(from, to, { ...defined(options), signal: callSignal(context, api) }))
  })
  app.openapi(patch, async (context) => {
    const { from, to, path, glob, context: lines } = context.req.valid("query")
    const options = { ...defined({ paths: path, globs: glob, context: lines }), signal: callSignal(context, api) }
    return bytes(await store.patch(from, to, options), "text/x-diff")
  })
  app.openapi(file, async (context) => {
    const { rev, path } = context.req.valid("query")
    const content = await store.readFile(rev, path)
    if (content === undefined)
      throw new Refusal("NOT_FOUND", `${escapePath(path)} is not in "${rev}". Its changes tell what is.`)
    return bytes(content, "application/octet-stream")
  })
}
