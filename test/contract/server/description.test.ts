/*
 * The description that the server gives of itself, held to the routes that there are and to what they answer.
 */
import { Validator } from "@seriousme/openapi-schema-validator"
import { Ajv2020 } from "ajv/dist/2020.js"
import formats from "ajv-formats"
import { expect, test } from "vitest"
import { eventStream } from "../../../src/server/event-stream.js"
import { storeApi } from "../../../src/server/api.js"
import { ask, serve, type Answer, type Question, type ServedStore } from "../../support/served-store.js"
import { onDisk, type StoreUnderTest } from "../../support/store-under-test.js"

interface Operation {
  readonly summary?: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly schema: unknown
  }[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}
type Content = Readonly<Record<string, { readonly schema: object }>>

interface Description {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

async function served(): Promise<ServedStore & { readonly place: StoreUnderTest; readonly described: Description }> {
  const place = await onDisk()
  place.write("a.txt", "one\n")
  const found = await serve(await place.open())
  const described = (await found.ask("GET", "/api/openapi.json")).json as Description
  return { place, described, ...found }
}

test("it is a valid description in OpenAPI 3.1, with a sentence for each operation and a problem for each failure", async () => {
  const { described } = await served()
  expect(described.openapi).toMatch(/^3\.1\./)
  const validator = new Validator()
  expect(await validator.validate({ ...structuredClone(described) })).toMatchObject({ valid: true })
  for (const [path, operations] of Object.entries(described.paths))
    for (const [method, { summary, responses }] of Object.entries(operations)) {
      expect(summary, `${method} ${path}`).toMatch(/^[A-Z]/)
      expect(responses["default"]?.content?.["application/json"]?.schema).toEqual({
        $ref: "#/components/schemas/Problem",
      })
    }
})

test("it tells of every route that there is, and of no other", async () => {
  const { described, place } = await served()
  const store = await place.open()
  const app = storeApi({
    store,
    events: eventStream(store),
    token: "token",
    origins: [],
    stopping: new AbortController().signal,
  })
  const routes = app.routes
    .filter(({ method, path }) => method !== "ALL" && path !== "/api/openapi.json")
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`)
  const told = Object.entries(described.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(told.toSorted()).toEqual([...new Set(routes)].toSorted())
})

test("each operation answers as it is described, and takes what it says that it takes", async () => {
  const { ask: asked, place, described, server } = await served()
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  formats.default(ajv)
  ajv.addSchema({ ...described, $id: "api" } as object, "api")
  const check = (schema: object, value: unknown, what: string): void => {
    const whole = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')) as object
    const validate = ajv.compile(whole)
    expect(validate(value) ? [] : validate.errors, what).toEqual([])
  }
  const met = new Set<string>()
  /** Asks what `operation` names, with what stands for its path's and its query's parameters. */
  const tried = async (operation: string, url: string, body?: unknown): Promise<Answer> => {
    const [method = "", path = ""] = operation.split(" ")
    const found = described.paths[path]?.[method.toLowerCase()]
    const question: Question = body === undefined ? {} : { body }
    const answer = await asked(method, url, question)
    const what = `${method} ${url}: ${answer.bytes.toString().slice(0, 300)}`
    for (const name of new URL(url, server.url).searchParams.keys())
      expect(
        found?.parameters?.map((parameter) => parameter.name),
        what,
      ).toContain(name)
    if (body !== undefined) check(found?.requestBody?.content["application/json"]?.schema ?? { not: {} }, body, what)
    const response = found?.responses[String(answer.status)]
    expect(response, what).toBeDefined()
    const [type, media] = Object.entries(response?.content ?? {})[0] ?? []
    if (type === undefined) expect(answer.bytes).toHaveLength(0)
    else expect(answer.headers["content-type"], what).toBe(type)
    if (type === "application/json") check(media?.schema ?? { not: {} }, answer.json, what)
    met.add(operation)
    return answer
  }

  await tried("POST /api/snapshots", "/api/snapshots", { label: "one", metadata: { a: "b" } })
  const [{ id }] = (await tried("GET /api/snapshots", "/api/snapshots?kind=all&limit=5")).json as [{ id: string }]
  place.write("a.txt", "two\n")
  place.write("binary", new Uint8Array([0, 1, 2]))
  place.link("link", "a.txt")
  place.write("big", new Uint8Array(3 << 20))
  await tried("POST /api/snapshots", "/api/snapshots", {})
  place.write("a.txt", "three\n")
  const sides = `from=${id}&to=latest&path=a.txt&path=binary&glob=${encodeURIComponent("*")}`
  await tried("GET /api/snapshots/{rev}", `/api/snapshots/${id}`)
  await tried("GET /api/snapshots/{rev}/summary", `/api/snapshots/${id}/summary`)
  await tried("GET /api/snapshots/{rev}/summary", "/api/snapshots/latest/summary")
  await tried("PUT /api/snapshots/{rev}/pin", `/api/snapshots/${id}/pin`)
  await tried("DELETE /api/snapshots/{rev}/pin", `/api/snapshots/${id}/pin`)
  await tried("GET /api/changes", `/api/changes?${sides}`)
  await tried("GET /api/diff", `/api/diff?${sides}&context=2`)
  await tried("POST /api/diff", "/api/diff", { from: id, to: "latest", paths: ["a.txt"], context: 0 })
  await tried("GET /api/patch", `/api/patch?${sides}`)
  await tried("GET /api/file", `/api/file?rev=${id}&path=a.txt`)
  const { json: plan } = await tried("POST /api/plan", "/api/plan", {
    target: { to: id },
    options: { added: "remove" },
  })
  await tried("POST /api/apply", "/api/apply", { plan })
  await tried("POST /api/undo", "/api/undo", {})
  await tried("POST /api/redo", "/api/redo", {})
  place.write("a.txt", "edited\n")
  await tried("POST /api/revert", "/api/revert", { from: id, to: "latest", options: { merge: true } })
  await tried("POST /api/restore", "/api/restore", { rev: id, options: { globs: ["*"], added: "keep" } })
  await tried("POST /api/prune", "/api/prune", { policy: { keepLast: 1, maxBytes: 1 }, dryRun: true })
  await tried("POST /api/verify", "/api/verify", { repair: true })
  await tried("POST /api/maintain", "/api/maintain", {})
  await tried("GET /api/status", "/api/status")
  await tried("GET /api/health", "/api/health")
  await tried("DELETE /api/snapshots/{rev}", `/api/snapshots/${id}`)

  const problem = described.components.schemas["Problem"] ?? {}
  check(problem, (await ask(server.url, "GET", "/api/health")).json, "401")
  check(problem, (await asked("GET", "/api/snapshots/none")).json, "404")
  check(problem, (await asked("POST", "/api/restore", { body: {} })).json, "400")

  const all = Object.entries(described.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  // A stream of events does not end; its test is by itself.
  expect(all.filter((operation) => !met.has(operation))).toEqual(["GET /api/events"])
})
