/*
 * The store over HTTP: everything below /api. docs/SERVER.md tells of it.
 */
import { OpenAPIHono, type Hook } from "@hono/zod-openapi"
import type { Env, MiddlewareHandler } from "hono"
import { SnapshotError } from "../core/errors.js"
import type { SnapshotStore } from "../snapshot-store.js"
import { limitedBody } from "./body.js"
import { describeApi } from "./description.js"
import type { EventStream } from "./event-stream.js"
import { bearer, sharedWith } from "./guard.js"
import { Refusal } from "./problem.js"
import type { Api } from "./route.js"
import { compareRoutes } from "./routes-compare.js"
import { eventRoutes } from "./routes-events.js"
import { restoreRoutes } from "./routes-restore.js"
import { snapshotRoutes } from "./routes-snapshots.js"
import { upkeepRoutes } from "./routes-upkeep.js"

/** What the API is made of. */
export interface ApiOptions {
  readonly store: SnapshotStore
  readonly events: EventStream
  readonly token: string
  /** Whose pages may read the answers. */
  readonly origins: readonly string[]
  readonly stopping: AbortSignal
}

/** The API, without the checks of where a request comes from. */
export function storeApi({ store, events, token, origins, stopping }: ApiOptions): OpenAPIHono {
  const app = new OpenAPIHono({ defaultHook: refuseInvalid })
  app.use("/api/*", sharedWith(origins), refuseHead, bearer(token), limitedBody(["/api/plan", "/api/apply"]))
  const api: Api = { app, store, events, stopping }
  upkeepRoutes(api)
  snapshotRoutes(api)
  compareRoutes(api)
  restoreRoutes(api)
  eventRoutes(api)
  describeApi(app)
  refuseOtherMethods(app)
  app.all("/api/*", () => {
    throw new Refusal("NOT_FOUND", "There is nothing at this address. /api/openapi.json tells what there is.")
  })
  return app
}

/** What a request's schema finds wrong with it: INVALID_ARGUMENT with the first of it. */
const refuseInvalid: Hook<unknown, Env, string, unknown> = (result) => {
  if (result.success) return
  const [issue] = result.error.issues
  const path = issue?.path.join(".") ?? ""
  const argument = path === "" ? (result.target === "json" ? "body" : result.target) : path
  const reason = (issue?.message ?? "It is not as described").replace(/\.$/, "")
  throw new SnapshotError("INVALID_ARGUMENT", `${argument}: ${reason}. /api/openapi.json tells what is taken.`, {
    argument,
  })
}

/** Without a body to send, what would be sent has nobody who ends it. */
const refuseHead: MiddlewareHandler = async (context, next) => {
  if (context.req.raw.method === "HEAD") throw otherMethod(["GET"])
  await next()
}

/** Answers every method that an address has no route for. */
function refuseOtherMethods(app: OpenAPIHono): void {
  const methods = new Map<string, string[]>()
  for (const { method, path } of app.routes)
    if (method !== "ALL") methods.set(path, [...(methods.get(path) ?? []), method])
  for (const [path, known] of methods)
    app.all(path, () => {
      throw otherMethod([...new Set(known)])
    })
}

function otherMethod(known: readonly string[]): Refusal {
  const allowed = known.join(", ")
  return new Refusal("METHOD_NOT_ALLOWED", `This address takes ${allowed}.`, { Allow: allowed })
}
