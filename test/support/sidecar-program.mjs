/*
 * A sidecar that is made with the library, whose entry is its first argument. The second says what its listener does when it
 * has to stop: "done", "fail", "late" (never done) or "none" (no listener). It tells on stderr what it meets.
 */
import { createServer } from "node:http"

const [entry, onStop] = process.argv.slice(2)
const { sidecarChild } = await import(entry)
const say = (text) => process.stderr.write(`${text}\n`)

const sidecar = sidecarChild({ stopLimitMs: onStop === "late" ? 50 : 60_000, parentEveryMs: 50 })
if (sidecar === undefined) {
  say("no supervisor")
  process.exit(9)
}
say(`left in the environment: ${Object.keys(process.env).filter((name) => name.startsWith("TREESHOT_")).length}`)
sidecar.starting()
if (onStop !== "none")
  sidecar.onStop(async (reason) => {
    say(`stop: ${reason}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
    if (onStop === "fail") throw new Error("could not finish")
    if (onStop === "late") await new Promise(() => {})
  })
const server = createServer((request, response) => {
  response.statusCode = request.headers.authorization === `Bearer ${sidecar.token}` ? 200 : 401
  response.end()
})
server.listen(0, "127.0.0.1", () => sidecar.ready(`http://127.0.0.1:${server.address().port}`))
