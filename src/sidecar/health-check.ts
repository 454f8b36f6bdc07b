import { request } from "node:http"
import type { SidecarClock } from "./sidecar-clock.js"

/** Where to ask, and as who. */
export interface HealthTarget {
  /** The whole address. */
  readonly url: string
  readonly token: string
}

/** Port: asks a sidecar how it is. Gives whether it is well; may reject, too, when it is not. */
export type AskHealth = (target: HealthTarget, signal: AbortSignal) => Promise<boolean>

/**
 * Asks by HTTP: status 200 is well. On a connection of its own, so that nothing stays open, and not by `fetch`, which
 * follows redirects and may go through a proxy.
 */
export const askByHttp: AskHealth = ({ url, token }, signal) =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    const asked = request(url, { agent: false, headers, signal }, (response) => {
      response.on("error", reject)
      response.on("end", () => resolve(response.statusCode === 200))
      response.resume()
    })
    asked.on("error", reject)
    asked.end()
  })

/** Whether it says within `limitMs`, and before `over` is aborted, that it is well. Never rejects, and leaves nothing running. */
export async function isWell(
  clock: SidecarClock,
  ask: AskHealth,
  target: HealthTarget,
  limitMs: number,
  over: AbortSignal,
): Promise<boolean> {
  const abort = new AbortController()
  return new Promise((resolve) => {
    const answer = (isFine: boolean): void => {
      limit.clear()
      over.removeEventListener("abort", giveUp)
      resolve(isFine)
      abort.abort()
    }
    const giveUp = (): void => answer(false)
    const limit = clock.after(limitMs, giveUp)
    over.addEventListener("abort", giveUp)
    // One that throws before it gives a promise is not well either.
    Promise.resolve()
      .then(() => ask(target, abort.signal))
      .then(answer, giveUp)
  })
}
