/*
 * The process in which a contender works: answers the calls that its parent sends, one after the other. It imports
 * nothing but modules of Node before the contender, so that what an import costs is seen.
 */
import type { Captured, Compared, ContenderModule, Session } from "./contender.js"
import type { ContenderAnswer, ContenderCall } from "./contender-call.js"
import { timed } from "./timed.js"

/** What a call gave, for the parent; counting patches comes after the clock was stopped. */
interface Gave {
  readonly captured?: Captured
  readonly count?: () => Compared
}

let loaded: ContenderModule | undefined
let session: Session | undefined

process.on("message", (call: ContenderCall) => {
  void answer(call).then((given) => process.send?.(given))
})
process.on("disconnect", () => process.exit())

async function answer(call: ContenderCall): Promise<ContenderAnswer> {
  try {
    const { took, value } = await timed(() => doCall(call))
    return {
      took,
      ...(value.captured === undefined ? {} : { captured: value.captured }),
      ...(value.count === undefined ? {} : { compared: value.count() }),
    }
  } catch (error) {
    return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

async function doCall(call: ContenderCall): Promise<Gave> {
  switch (call.call) {
    case "load":
      loaded = (await import(`./contenders/${call.name}.js`)) as ContenderModule
      return {}
    case "open":
      session = await present(loaded, "open").contender.open(call.place)
      return {}
    case "capture":
      return { captured: await present(session, "capture").capture() }
    case "settle":
      await session?.settle?.()
      return {}
    case "diff":
      return { count: await present(session?.diff, "diff").call(session, call.from, call.to) }
    case "restore":
      await present(session?.restore, "restore").call(session, call.to)
      return {}
    case "tidy":
      await present(session?.tidy, "tidy").call(session, call.states)
      return {}
    case "close":
      await session?.close()
      return {}
  }
}

function present<T>(value: T | undefined, call: string): T {
  if (value === undefined) throw new Error(`there is nothing that could ${call}`)
  return value
}
