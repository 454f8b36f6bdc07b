import { connect } from "node:net"
import { text } from "node:stream/consumers"
import { describe, expect, test } from "vitest"
import type { RestorePlan } from "../../../src/index.js"
import { ask, codeOf, serve, type Answer, type Question, type ServedStore } from "../../support/served-store.js"
import { BACKENDS, type StoreUnderTest } from "../../support/store-under-test.js"

describe.each(BACKENDS.slice(0, 2))("requests that the server refuses, over $name", ({ start }) => {
  interface Place extends ServedStore {
    readonly place: StoreUnderTest
    readonly id: string
    /** Expects the answer, and that neither the work tree nor the store is another one than before. */
    refused(question: Promise<Answer>, status: number, code: string): Promise<void>
  }

  async function served(pageOrigin?: string): Promise<Place> {
    const place = await start()
    place.write("a.txt", "one\n")
    place.write("sub/b.txt", "b\n")
    const store = await place.open()
    const { id } = (await store.capture()).snapshot
    place.write("a.txt", "edited\n")
    const before = [place.content(), place.stored()]
    const found = await serve(store, pageOrigin === undefined ? {} : { pageOrigin })
    return {
      place,
      id,
      ...found,
      async refused(question, status, code) {
        const answer = await question
        expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status, code })
        expect(answer.json).toEqual({
          error: expect.objectContaining({ code, message: expect.stringMatching(/^\S[^]*\.$/) }),
        })
        expect(answer.bytes.toString()).not.toMatch(/\bat .*\.[jt]s:\d/)
        expect([place.content(), place.stored()]).toEqual(before)
      },
    }
  }

  test("without a token, with another one, and with one in the wrong place: 401", async () => {
    const { server, id, refused } = await served()
    const { url, token } = server
    const body = { rev: id }
    for (const headers of [
      {},
      { Authorization: "Bearer " },
      { Authorization: `Bearer ${token}x` },
      { Authorization: `Bearer ${token.slice(1)}` },
      { Authorization: `Basic ${token}` },
      { Authorization: token },
      { Cookie: `token=${token}` },
    ])
      await refused(ask(url, "POST", "/api/restore", { headers, body }), 401, "UNAUTHORIZED")
    await refused(ask(url, "POST", `/api/restore?token=${token}`, { body }), 401, "UNAUTHORIZED")
    for (const path of ["/api/health", "/api/openapi.json", "/api/events", "/api/none"])
      await refused(ask(url, "GET", path), 401, "UNAUTHORIZED")
    const given = await ask(url, "GET", "/api/health", { headers: { Authorization: `bearer ${token}` } })
    expect(given.status).toBe(200)
  })

  test("by another name than its own, as a name that was bent to this machine has it: 403", async () => {
    const { port, ask: asked, id, refused } = await served()
    const body = { rev: id }
    for (const Host of [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1",
      `127.0.0.1:${port + 1}`,
      `127.0.0.1.evil.example:${port}`,
      `[::1]:${port}`,
      `0.0.0.0:${port}`,
    ])
      await refused(asked("POST", "/api/restore", { headers: { Host }, body }), 403, "FORBIDDEN")
    for (const Host of [`127.0.0.1:${port}`, `localhost:${port}`])
      expect((await asked("GET", "/api/health", { headers: { Host } })).status).toBe(200)
  })

  test("from pages of other origins and sites: 403, before the token counts", async () => {
    const { server, port, ask: asked, id, refused } = await served("http://127.0.0.1:4321")
    const body = { rev: id }
    for (const Origin of [
      "http://evil.example",
      "null",
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port + 1}`,
      "http://127.0.0.1:43210",
      "http://localhost:4321",
    ]) {
      await refused(asked("POST", "/api/restore", { headers: { Origin }, body }), 403, "FORBIDDEN")
      await refused(ask(server.url, "OPTIONS", "/api/restore", { headers: { Origin } }), 403, "FORBIDDEN")
    }
    const crossSite = { headers: { "Sec-Fetch-Site": "cross-site" }, body }
    await refused(asked("POST", "/api/restore", crossSite), 403, "FORBIDDEN")
    await refused(ask(server.url, "POST", "/api/restore", crossSite), 403, "FORBIDDEN")
    for (const Origin of [`http://127.0.0.1:${port}`, `http://localhost:${port}`, "http://127.0.0.1:4321"]) {
      const headers = { Origin, "Sec-Fetch-Site": "same-site" }
      const answer = await asked("GET", "/api/health", { headers })
      expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([200, Origin])
    }
  })

  test("a page of the origin that was named may ask first whether it may, and reads refusals, too", async () => {
    const { server } = await served("http://127.0.0.1:4321")
    const headers = { Origin: "http://127.0.0.1:4321" }
    const preflight = await ask(server.url, "OPTIONS", "/api/snapshots/latest/pin", {
      headers: {
        ...headers,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,content-type",
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers).toMatchObject({
      "access-control-allow-origin": "http://127.0.0.1:4321",
      "access-control-allow-methods": expect.stringContaining("PUT"),
      "access-control-allow-headers": expect.stringMatching(/authorization/i),
    })
    expect(preflight.headers).not.toHaveProperty("access-control-allow-credentials")
    const refusal = await ask(server.url, "GET", "/api/health", { headers })
    expect([refusal.status, refusal.headers["access-control-allow-origin"]]).toEqual([401, headers.Origin])
  })

  test("a body of 100 MB is refused before it is read, and one without a length", async () => {
    const { ask: asked, server, refused } = await served()
    const large = Buffer.alloc(100_000_000, 0x20)
    for (const path of ["/api/restore", "/api/plan", "/api/apply", "/api/snapshots"])
      await refused(asked("POST", path, { body: large }), 413, "TOO_LARGE")
    await refused(ask(server.url, "POST", "/api/restore", { body: large }), 401, "UNAUTHORIZED")
    await refused(asked("POST", "/api/undo", { chunked: true, body: {} }), 400, "INVALID_ARGUMENT")
    const label = { label: "x".repeat(1_100_000) }
    await refused(asked("POST", "/api/snapshots", { body: label }), 413, "TOO_LARGE")
  })

  test("a body that is no JSON, or not what is asked for, and queries with what there is not", async () => {
    const { ask: asked, id, refused } = await served()
    const plain = { "Content-Type": "text/plain" }
    const questions: [string, string, Question][] = [
      ["POST", "/api/restore", { body: Buffer.from(`{"rev":"${id}"`) }],
      ["POST", "/api/restore", { body: { rev: id }, headers: plain }],
      ["POST", "/api/snapshots", { body: { label: "x" }, headers: plain }],
      ["POST", "/api/restore", { body: [] }],
      ["POST", "/api/restore", { body: { rev: 7 } }],
      ["POST", "/api/restore", { body: { rev: id, option: {} } }],
      ["POST", "/api/restore", { body: { rev: id, options: { path: ["a.txt"] } } }],
      ["POST", "/api/restore", { body: { rev: id, options: { added: "both" } } }],
      ["POST", "/api/restore", {}],
      ["POST", "/api/undo", { body: { rev: id } }],
      ["POST", "/api/plan", { body: { target: { to: id, undo: true } } }],
      ["POST", "/api/prune", { body: { policy: { keepLast: -1 } } }],
      ["POST", "/api/snapshots", { body: { metadata: { a: 1 } } }],
      ["GET", "/api/snapshots?limit=-1", {}],
      ["GET", "/api/snapshots?limit=1e3", {}],
      ["GET", "/api/snapshots?since=yesterday", {}],
      ["GET", "/api/snapshots?kind=none", {}],
      ["GET", "/api/snapshots?label=x", {}],
      ["GET", "/api/changes", {}],
      ["GET", `/api/changes?from=${id}&from=${id}`, {}],
      ["GET", `/api/changes?from=${id}&path=`, {}],
      ["GET", `/api/changes?from=${"x".repeat(2000)}`, {}],
      ["GET", `/api/diff?from=${id}&context=many`, {}],
    ]
    for (const [method, path, question] of questions)
      await refused(asked(method, path, question), 400, "INVALID_ARGUMENT")
  })

  test("paths that leave the work tree, in every call that takes one", async () => {
    const { place, ask: asked, id, refused } = await served()
    const plan = (await asked("POST", "/api/plan", { body: { target: { to: id } } })).json as RestorePlan
    for (const path of [
      "../a.txt",
      "sub/../../a.txt",
      "/etc/passwd",
      `${place.scratch}/store/config`,
      "a\0b",
      "a//b",
    ]) {
      const encoded = encodeURIComponent(path)
      await refused(asked("GET", `/api/file?rev=${id}&path=${encoded}`), 400, "INVALID_ARGUMENT")
      await refused(asked("GET", `/api/diff?from=${id}&path=${encoded}`), 400, "INVALID_ARGUMENT")
      await refused(asked("GET", `/api/changes?from=${id}&path=${encoded}`), 400, "INVALID_ARGUMENT")
      const body = { rev: id, options: { paths: [path] } }
      await refused(asked("POST", "/api/restore", { body }), 400, "INVALID_ARGUMENT")
      for (const list of ["writes", "deletes"] as const) {
        const changed = { ...plan, [list]: plan.writes.map((write) => ({ ...write, path })) }
        await refused(asked("POST", "/api/apply", { body: { plan: changed } }), 400, "INVALID_ARGUMENT")
      }
    }
    const hooks = { ...plan, writes: plan.writes.map((write) => ({ ...write, path: ".git/hooks/post-checkout" })) }
    await refused(asked("POST", "/api/apply", { body: { plan: hooks } }), 400, "PATH_UNSAFE")
  })

  test("addresses and methods that there are not, whoever asks how", async () => {
    const { ask: asked, server, id, refused } = await served()
    for (const path of [
      "/api",
      "/api/",
      "/api/none",
      "/api/snapshots/",
      `/api/snapshots/${id}/none`,
      "/api/../etc",
      "/api//status",
    ])
      await refused(asked("GET", path), 404, "NOT_FOUND")
    for (const path of [
      "/",
      "/none",
      "/none/",
      "/index.html",
      "/none/address",
      "/%2e%2e/%2e%2e/etc/passwd",
      "/..%2f..%2fetc",
    ])
      await refused(ask(server.url, "GET", path), 404, "NOT_FOUND")
    for (const [method, path, allow] of [
      ["DELETE", "/api/snapshots", "GET, POST"],
      ["GET", "/api/restore", "POST"],
      ["PATCH", `/api/snapshots/${id}`, "GET, DELETE"],
      ["POST", `/api/snapshots/${id}/pin`, "PUT, DELETE"],
      ["HEAD", "/api/events", "GET"],
    ] as const) {
      const answer = await asked(method, path)
      expect([answer.status, answer.headers.allow]).toEqual([405, allow])
      if (method !== "HEAD") await refused(Promise.resolve(answer), 405, "METHOD_NOT_ALLOWED")
    }
  })

  test("what is no HTTP, or cannot be read, gets a short answer and harms nobody", async () => {
    const { port, ask: asked } = await served()
    const said = async (line: string): Promise<string> => {
      const socket = connect(port, "127.0.0.1")
      socket.end(line)
      return text(socket)
    }
    expect(await said("nonsense\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /)
    expect(await said(`GET /api/health HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /)
    expect(await said(`GET /api/health HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 40[03] /,
    )
    expect(
      await said(`GET http://evil.example/api/health HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`),
    ).toMatch(/^HTTP\/1\.1 40\d /)
    expect((await asked("GET", "/api/health")).status).toBe(200)
  })
})
