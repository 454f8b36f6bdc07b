import type { RestoreReport, RevertOptions, Snapshot, SnapshotStore } from "../snapshot-store.js"
import type { FindAim } from "./aim.js"
import type { Action, Session, Words } from "./command.js"
import { Aftermath, DONE, FAILED } from "./failure.js"
import { preview } from "./preview.js"
import { reportLines } from "./report-lines.js"
import { count, shortId } from "./text.js"

/** Plans, asks before deleting where somebody is there to answer, and does what was planned. */
export function carryOut(
  words: Words,
  findAim: FindAim,
  optionsOf: (session: Session) => RevertOptions = ({ signal, onProgress }) => ({ signal, onProgress }),
): Action {
  return async (session) => {
    const { store, screen, confirm, signal, onProgress } = session
    const aim = await findAim(session)
    const made = await store.plan(aim.target, optionsOf(session))
    if (made.deletes.length > 0 && confirm !== undefined && !words.has("yes")) {
      session.finishProgress()
      screen.print(aim.planned, ...preview(made, "", session))
      if (!(await confirm(`Go on, and delete ${count(made.deletes.length, "path")}?`))) {
        screen.print("Nothing was touched.")
        return FAILED
      }
    }
    const report = await afterwards(session, () => store.apply(made, { signal, onProgress }))
    session.finishProgress()
    if (screen.json) screen.printJson(report)
    else screen.print(...reportLines(report, aim, session))
    return report.complete ? DONE : FAILED
  }
}

/** A restore that stopped half-way has taken its safety snapshot, which the user needs to know of. */
async function afterwards(session: Session, step: () => Promise<RestoreReport>): Promise<RestoreReport> {
  const { store, signal } = session
  const before = await newestSafety(store)
  try {
    return await step()
  } catch (error) {
    const safety = await newestSafety(store).catch(() => undefined)
    if (safety !== undefined && safety.id !== before?.id)
      throw new Aftermath(
        error,
        `What was done was taken back. If anything is amiss, the folder as it was is snapshot ${shortId(safety.id)}: ${session.suggest("restore", shortId(safety.id))}`,
      )
    throw signal.aborted ? new Aftermath(error, "Nothing was touched.") : error
  }
}

async function newestSafety(store: SnapshotStore): Promise<Snapshot | undefined> {
  return (await store.list({ kind: "safety", limit: 1 }))[0]
}
