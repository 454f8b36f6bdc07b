import { fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Captured, Compared, Place } from "./contender.js"
import type { ContenderAnswer, ContenderCall, Took } from "./contender-call.js"

/** A contender in a process of its own; what its calls took was measured there. */
export interface ContenderProcess {
  /** What importing it took. */
  readonly loaded: Took
  open(place: Place): Promise<Took>
  capture(): Promise<{ readonly took: Took; readonly captured: Captured }>
  settle(): Promise<Took>
  diff(from: Captured, to: Captured): Promise<{ readonly took: Took; readonly compared: Compared }>
  restore(to: Captured): Promise<Took>
  tidy(states: readonly Captured[]): Promise<Took>
  /** Closes its store and ends the process. */
  close(): Promise<Took>
}

/** Starts a process and imports the contender in it. `home` is a folder that stands for the user's. */
export async function startContender(name: string, home: string): Promise<ContenderProcess> {
  const program = fileURLToPath(new URL("contender-main.js", import.meta.url))
  const child = fork(program, [], { env: isolated(home), serialization: "advanced" })
  const exited = once(child, "exit")

  async function ask(call: ContenderCall): Promise<Exclude<ContenderAnswer, { readonly failed: string }>> {
    child.send(call)
    const answer = await Promise.race([once(child, "message"), exited.then(() => [])])
    const [given] = answer as readonly ContenderAnswer[]
    if (given === undefined) throw new Error(`${name} ended during ${call.call}`)
    if ("failed" in given) throw new Error(`${name} failed in ${call.call}: ${given.failed}`)
    return given
  }

  try {
    const { took: loaded } = await ask({ call: "load", name })
    return {
      loaded,
      open: async (place) => (await ask({ call: "open", place })).took,
      async capture() {
        const { took, captured } = await ask({ call: "capture" })
        if (captured === undefined) throw new Error(`${name} captured nothing`)
        return { took, captured }
      },
      settle: async () => (await ask({ call: "settle" })).took,
      async diff(from, to) {
        const { took, compared } = await ask({ call: "diff", from, to })
        if (compared === undefined) throw new Error(`${name} compared nothing`)
        return { took, compared }
      },
      tidy: async (states) => (await ask({ call: "tidy", states })).took,
      restore: async (to) => (await ask({ call: "restore", to })).took,
      async close() {
        const { took } = await ask({ call: "close" })
        child.disconnect()
        await exited
        return took
      },
    }
  } catch (error) {
    child.kill()
    throw error
  }
}

/** No configuration and no ignore rules of the machine or its user count. */
function isolated(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_") && !name.startsWith("XDG_"))
  return {
    ...Object.fromEntries(kept),
    HOME: home,
    USERPROFILE: home,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: join(home, ".gitconfig"),
  }
}
