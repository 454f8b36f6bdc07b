import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { openStore, type CaptureResult } from "../../src/index.js"
import { commandPlace, type CommandPlace, type RunningCommand } from "../support/command.js"
import { ask, codeOf, type Answer, type Question } from "../support/served-store.js"

interface Ready {
  readonly url: string
  readonly token: string
  readonly pid: number
}

interface Served extends CommandPlace {
  readonly command: RunningCommand
  readonly ready: Ready
  asked(method: string, path: string, question?: Question): Promise<Answer>
}

async function served(place: CommandPlace, ...args: readonly string[]): Promise<Served> {
  const command = place.start("serve", "--json", "--durability", "process", ...args)
  const ready = await command.line((line) => JSON.parse(line) as Ready)
  const headers = { Authorization: `Bearer ${ready.token}` }
  const asked: Served["asked"] = (method, path, question = {}) =>
    ask(ready.url, method, path, { ...question, headers: { ...headers, ...question.headers } })
  return { ...place, command, ready, asked }
}

const FILES = 2000
const nameOf = (i: number): string => `folder ${i % 30}/file ${i}`

/** Makes the whole work tree one state. */
function writeState({ worktree }: CommandPlace, state: string): void {
  for (let i = 0; i < 30; i++) mkdirSync(join(worktree, `folder ${i}`), { recursive: true })
  for (let i = 0; i < FILES; i++) writeFileSync(join(worktree, nameOf(i)), `${state} ${i}\n`)
}

/** The states that the files are in. */
function statesOf({ worktree }: CommandPlace): string[] {
  const states = Array.from({ length: FILES }, (_, i) => readFileSync(join(worktree, nameOf(i)), "utf8").split(" ")[0])
  return [...new Set(states.map(String))].toSorted()
}

/** Resolves when some of the files are not as `from` has them any more: then a restore is under way, or has just ended. */
async function underWay({ worktree }: CommandPlace, from: string): Promise<void> {
  const isOld = (i: number): boolean => {
    try {
      return readFileSync(join(worktree, nameOf(i)), "utf8") === `${from} ${i}\n`
    } catch {
      // It is being replaced.
      return false
    }
  }
  const some = Array.from({ length: 20 }, (_, i) => (i * FILES) / 20)
  while (some.every(isOld)) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** The disk decides how long a restore takes. */
const PATIENT = { timeout: 300_000 }

test("with --json, serve prints one line when it is ready, answers, and ends with status 0 on SIGTERM and SIGINT", async () => {
  const place = await commandPlace()
  writeFileSync(join(place.worktree, "a.txt"), "one\n")
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const { command, ready, asked } = await served(place)
    expect(ready).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      token: expect.stringMatching(/^[0-9a-f]{64}$/),
      pid: command.pid,
    })
    expect((await asked("GET", "/api/health")).json).toEqual({ ok: true, pid: command.pid, worktree: place.worktree })
    expect((await asked("POST", "/api/snapshots")).json).toMatchObject({ snapshot: { kind: "capture" } })
    command.child.kill(signal)
    expect(await command.ended).toBe(0)
    expect(command.stdout().trimEnd().split("\n")).toHaveLength(1)
    expect(command.stderr()).toBe("")
  }
})

test("it listens on 127.0.0.1 only, on the port that was asked for, and says so when that is taken", async () => {
  const place = await commandPlace()
  const { ready } = await served(place)
  const { port } = new URL(ready.url)
  const other = place.start("serve", "--port", port)
  expect(await other.ended).toBe(1)
  expect(other.stderr()).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}: EADDRINUSE`))
  if (process.platform !== "linux") return
  const listening = readFileSync("/proc/net/tcp", "latin1")
    .split("\n")
    .filter((line) => / 0A /.test(line))
  const hex = Number(port).toString(16).toUpperCase().padStart(4, "0")
  expect(listening.filter((line) => line.includes(`:${hex} `)).map((line) => line.trim().split(/\s+/)[1])).toEqual([
    `0100007F:${hex}`,
  ])
  expect(readFileSync("/proc/net/tcp6", "latin1")).not.toContain(`:${hex} 0000`)
})

test("without --json it prints the page's address, which shows the page or says that it is not built", async () => {
  const place = await commandPlace()
  const command = place.start("serve")
  const url = await command.line((line) => /^ +(http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]+\/)$/.exec(line)?.[1])
  const { origin, pathname } = new URL(url)
  const page = await ask(origin, "GET", pathname)
  expect([200, 404]).toContain(page.status)
  expect(page.bytes.toString()).toMatch(page.status === 200 ? /<html/i : /npm run build/)
  expect(page.headers).toMatchObject({
    "content-security-policy": expect.stringMatching(
      /^default-src 'self'; connect-src 'self' http:\/\/127\.0\.0\.1:\*/,
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  })
  const address = await ask(origin, "GET", `${pathname}address`)
  expect(address.headers["cache-control"]).toBe("no-store")
  const { url: api, token } = address.json as Ready
  expect(api).toBe(origin)
  expect((await ask(api, "GET", "/api/health", { headers: { Authorization: `Bearer ${token}` } })).status).toBe(200)
  expect(pathname).not.toContain(token)
})

test("what is wrong with the command line, or with the folder, is told, and nothing is served", async () => {
  const place = await commandPlace()
  for (const args of [
    ["--port", "70000"],
    ["--port", "x"],
    ["--page-origin", "https://evil.example"],
    ["--page-origin", "*"],
    ["more"],
  ])
    expect(await place.start("serve", ...args).ended).toBe(2)
  const missing = place.start("serve", "--json", "-C", join(place.worktree, "none"))
  expect(await missing.ended).toBe(1)
  expect(JSON.parse(missing.stdout())).toMatchObject({ error: { code: "WORKTREE_MISSING" } })
})

test(
  "SIGTERM in the middle of a restore of some thousand files: it is finished or taken back, and can be undone",
  PATIENT,
  async () => {
    const place = await commandPlace()
    writeState(place, "one")
    const { asked, command } = await served(place)
    const { snapshot } = (await asked("POST", "/api/snapshots")).json as CaptureResult
    writeState(place, "two")
    const restoring = asked("POST", "/api/restore", { body: { rev: snapshot.id } })
    await underWay(place, "two")
    command.child.kill("SIGTERM")
    const answer = await restoring
    expect(await command.ended).toBe(0)
    expect(answer).toMatchObject({ status: 200, json: { complete: true } })
    expect(statesOf(place)).toEqual(["one"])
    expect(readdirSync(place.worktree).filter((name) => name.startsWith(".treeshot-"))).toEqual([])
    const store = await openStore({ worktree: place.worktree, gitdir: place.gitdir, durability: "process" })
    expect(store.recovered).toBeUndefined()
    expect(await store.undo()).toMatchObject({ complete: true })
    await store.close()
    expect(statesOf(place)).toEqual(["two"])
  },
)

test(
  "killed in the middle of a restore: the next server finishes it or takes it back before it is ready",
  PATIENT,
  async () => {
    const place = await commandPlace()
    writeState(place, "one")
    const first = await served(place)
    const { snapshot } = (await first.asked("POST", "/api/snapshots")).json as CaptureResult
    writeState(place, "two")
    const restoring = first.asked("POST", "/api/restore", { body: { rev: snapshot.id } }).catch(() => "gone")
    await underWay(place, "two")
    first.command.child.kill("SIGKILL")
    await first.command.ended
    await restoring
    const second = await served(place)
    expect(statesOf(place)).toHaveLength(1)
    expect((await second.asked("POST", "/api/verify")).json).toMatchObject({ ok: true })
  },
)

test(
  "two servers of one folder: restores at once wait for each other or are refused, and every one is whole",
  PATIENT,
  async () => {
    const place = await commandPlace()
    writeState(place, "one")
    const [a, b] = [await served(place), await served(place)]
    const one = ((await a.asked("POST", "/api/snapshots")).json as CaptureResult).snapshot.id
    writeState(place, "two")
    const two = ((await b.asked("POST", "/api/snapshots")).json as CaptureResult).snapshot.id
    const answers = await Promise.all(
      [a, b, a, b].map(({ asked }, i) => asked("POST", "/api/restore", { body: { rev: i % 2 === 0 ? one : two } })),
    )
    for (const answer of answers)
      if (answer.status === 200) expect(answer.json).toMatchObject({ complete: true })
      else expect([answer.status, codeOf(answer)]).toEqual([409, "LOCK_HELD"])
    expect(answers.map(({ status }) => status)).toContain(200)
    expect(statesOf(place)).toHaveLength(1)
    expect((await a.asked("POST", "/api/verify")).json).toMatchObject({ ok: true })
  },
)
