import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import type { ExitRecord } from "../../src/sidecar/exit-record.js"
import { commandPlace, gone, type RunningCommand } from "../support/command.js"
import { isRunning } from "../support/processes.js"
import { ask } from "../support/served-store.js"

interface Address {
  readonly url: string
  readonly token: string
}

interface Desktop {
  readonly command: RunningCommand
  readonly worktree: string
  readonly gitdir: string
  /** The page's origin, and the path below which it is. */
  readonly origin: string
  readonly path: string
  /** The address of a server other than `before`, as the page asks for it again and again. */
  address(before?: Address): Promise<Address>
}

async function desktop(...args: readonly string[]): Promise<Desktop> {
  const place = await commandPlace()
  writeFileSync(join(place.worktree, "a.txt"), "one\n")
  const command = place.start("desktop", "--no-open", ...args)
  const page = await command.line((line) => /http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]+\//.exec(line)?.[0])
  const { origin, pathname: path } = new URL(page)
  return {
    ...place,
    command,
    origin,
    path,
    async address(before) {
      for (;;) {
        const answer = await ask(origin, "GET", `${path}address`)
        if (answer.status === 200 && (answer.json as Address).url !== before?.url) return answer.json as Address
        if (answer.status !== 200) expect(answer.status).toBe(503)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
}

async function pidOf({ url, token }: Address): Promise<number> {
  const { json } = await ask(url, "GET", "/api/health", { headers: { Authorization: `Bearer ${token}` } })
  return (json as { readonly pid: number }).pid
}

test("the page finds its server, and a new one at a new address when that one is killed; the end of it is printed", async () => {
  const { command, origin, address } = await desktop()
  const first = await address()
  const headers = { Authorization: `Bearer ${first.token}`, Origin: origin }
  const answer = await ask(first.url, "POST", "/api/snapshots", { headers })
  expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([200, origin])
  const pid = await pidOf(first)
  process.kill(pid, "SIGKILL")
  const second = await address(first)
  expect(await pidOf(second)).not.toBe(pid)
  expect(second.token).not.toBe(first.token)
  const list = await ask(second.url, "GET", "/api/snapshots", {
    headers: { Authorization: `Bearer ${second.token}`, Origin: origin },
  })
  expect(list.json).toHaveLength(1)
  const line = await command.line((text) => (text.includes("ended") ? text : undefined))
  expect(line).toMatch(
    new RegExp(
      `^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d  server 1 \\(pid ${pid}\\) ended after .*: SIGKILL, not asked for\\. The next one starts in \\d`,
    ),
  )
  expect(await command.line((text) => /server 2 .* is ready at (\S+)/.exec(text)?.[1])).toBe(second.url)
})

test("Ctrl-C ends the server, then the page, then itself with status 0", async () => {
  const { command, address } = await desktop()
  const pid = await pidOf(await address())
  command.child.kill("SIGINT")
  expect(await command.ended).toBe(0)
  expect(isRunning(pid)).toBe(false)
  expect(command.stdout()).toMatch(/server 1 \(pid \d+\) ended .*: code 0, as asked for\./)
})

test("killed, it leaves no server behind", async () => {
  const { command, address } = await desktop()
  const pid = await pidOf(await address())
  command.child.kill("SIGKILL")
  await command.ended
  await gone(pid)
})

test("a server that ends again and again is given up, and so is the command, with status 1", async () => {
  const { command, address } = await desktop("--json")
  let before: Address | undefined
  for (let i = 0; i < 4; i++) {
    before = await address(before)
    process.kill(await pidOf(before), "SIGKILL")
  }
  expect(await command.ended).toBe(1)
  const records = command
    .stdout()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly exit?: ExitRecord })
    .flatMap(({ exit }) => (exit === undefined ? [] : [exit]))
  expect(
    records.map(({ generation, signal, expected, restart }) => [generation, signal, expected, restart.action]),
  ).toEqual([
    [1, "SIGKILL", false, "restart"],
    [2, "SIGKILL", false, "restart"],
    [3, "SIGKILL", false, "restart"],
    [4, "SIGKILL", false, "give-up"],
  ])
})

test("a folder that cannot be opened is told at once", async () => {
  const place = await commandPlace()
  const command = place.start("desktop", "--no-open", "-C", join(place.worktree, "none"))
  expect(await command.ended).toBe(1)
  expect(command.stderr()).toMatch(/^treeshot: .*none/)
})
