import { z, type OpenAPIHono } from "@hono/zod-openapi"
import { json } from "./answers.js"
import { Text } from "./schema-basics.js"

const Problem: z.ZodType = z
  .strictObject({
    error: z.strictObject({ code: Text, message: Text, details: z.record(z.string(), z.unknown()).optional() }),
  })
  .openapi("Problem")

/** Serves the description of all routes that were added before, as OpenAPI 3.1. */
export function describeApi(app: OpenAPIHono): void {
  const { openAPIRegistry: registry } = app
  registry.register("Problem", Problem)
  registry.registerComponent("securitySchemes", "token", { type: "http", scheme: "bearer" })
  let made: object | undefined
  app.get("/api/openapi.json", () => {
    made ??= withProblems(app.getOpenAPI31Document(HEAD))
    return json(made) as unknown as Response
  })
}

const HEAD = {
  openapi: "3.1.0",
  info: {
    title: "treeshot",
    version: "1",
    description:
      "Snapshots of one folder. Dates are ISO texts; all other fields are those of the SnapshotStore contract.",
  },
  security: [{ token: [] }],
}

type Described = ReturnType<OpenAPIHono["getOpenAPI31Document"]>

/** Every route may answer with a problem. */
function withProblems(document: Described): Described {
  const response = {
    description: "What was wrong, and what to do about it",
    content: { "application/json": { schema: { $ref: "#/components/schemas/Problem" } } },
  }
  for (const path of Object.values(document.paths ?? {}))
    for (const operation of Object.values(path))
      if (typeof operation === "object" && "responses" in operation) operation.responses["default"] = response
  return document
}
