/*
 * A sidecar that speaks the supervisor's protocol by hand, and does as its argument says: an object of rules by generation,
 * "*" for all of them. It ends when its parent goes, unless they say otherwise.
 */
import { spawn } from "node:child_process"
import { createServer } from "node:http"

const { TREESHOT_SIDECAR_TOKEN: token, TREESHOT_SIDECAR_GENERATION: generation } = process.env
const rules = JSON.parse(process.argv[2])
const rule = { start: "ready", onStop: "exit", onTerm: "exit", says: [], ...rules["*"], ...rules[generation] }

process.on("disconnect", () => rule.onGone !== "ignore" && process.exit())
process.on("message", ({ type, reason }) => {
  if (type !== "stop") return
  process.stderr.write(`asked to stop: ${reason}\n`)
  if (rule.onStop !== "ignore") process.exit(rule.onStop === "exit" ? 0 : rule.onStop)
})
if (rule.onTerm !== "exit") process.on("SIGTERM", () => rule.onTerm !== "ignore" && process.exit(rule.onTerm))
for (const line of rule.says) process.stderr.write(line)
if (rule.starts) process.stderr.write(`${spawn("sleep", ["600"], { stdio: "ignore" }).pid}\n`)

const server = createServer(({ url, headers }, response) => {
  const [, what, value] = url.split("/")
  response.statusCode = url === "/api/health" && headers.authorization !== `Bearer ${token}` ? 401 : 200
  if (what === "news") process.send({ type: "starting", token }, () => response.end())
  else response.end()
  if (what === "exit") process.exit(Number(value))
})
server.listen(0, "127.0.0.1", () => {
  const url = `http://127.0.0.1:${server.address().port}`
  const ready = { type: "ready", token, url, pid: process.pid }
  const messages = {
    ready: [ready],
    noisy: [null, 7, "ready", {}, { type: "other" }, { type: "ready" }, ready, { ...ready, url: "http://127.0.0.1:1" }],
    news: [],
    never: [],
    "wrong token": [{ ...ready, token: token.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) }],
    elsewhere: [{ ...ready, url: rule.url }],
  }
  if (rule.start === "news") process.stderr.write(`${url}\n`)
  if (rule.start === "exit") process.exit(rule.code)
  for (const message of messages[rule.start]) process.send(message)
})
