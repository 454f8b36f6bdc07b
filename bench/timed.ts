import { readFileSync } from "node:fs"
import { monitorEventLoopDelay } from "node:perf_hooks"
import type { Took } from "./contender-call.js"

/** Node's monitor of the event loop sets a timer every so often; what it says has that much in it. */
const RESOLUTION_MS = 1

/** Does `work` and tells what it took. */
export async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly took: Took }> {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  // It counts from the first time that the timer comes round.
  await turns()
  const processor = processorMs()
  const start = performance.now()
  const value = await work()
  const ms = performance.now() - start
  const worked = processorMs() - processor
  const peakRssBytes = process.resourceUsage().maxRSS * 1024
  // The last hold-up is told of only when the timer comes round.
  await turns()
  delay.disable()
  const [heldUpMaxMs, heldUpP99Ms] = [heldUp(delay.max), heldUp(delay.percentile(99))]
  return { value, took: { ms, processorMs: worked, peakRssBytes, heldUpMaxMs, heldUpP99Ms } }
}

function turns(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5 * RESOLUTION_MS))
}

function heldUp(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
}

function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000 + childrenMs()
}

/** What ended children used, on Linux; elsewhere 0. Fields 16 and 17 of proc_pid_stat(5), in ticks of 10 ms. */
function childrenMs(): number {
  if (process.platform !== "linux") return 0
  const stat = readFileSync("/proc/self/stat", "latin1")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[13]) + Number(fields[14])) * 10
}
