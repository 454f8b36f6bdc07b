/*
 * Loaded before a program, makes its process one of Electron's `utilityProcess`: with a `parentPort`, and without what Node's
 * `fork` gives.
 */
import { EventEmitter } from "node:events"

const send = process.send.bind(process)
const port = new EventEmitter()
process.on("message", (data) => port.emit("message", { data, ports: [] }))
// The port keeps nobody from ending, and a browser that has gone ends its processes.
process.on("disconnect", () => process.exit(1))
process.parentPort = Object.assign(port, { postMessage: (message) => send(message) })
process.send = undefined
