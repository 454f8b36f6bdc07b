import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import type { StoreStatus, VerifyReport } from "../../src/snapshot-store.js"
import { LOADING, ready, type Loaded } from "../model/loaded.js"
import { problemOf } from "../model/problem.js"
import { count, fullTime, printable, size } from "../model/text.js"
import { Button } from "./button.js"
import { Dialog } from "./dialog.js"
import { useSession } from "./session-context.js"
import { Failed, Loading } from "./states.js"

/** What is in the store, and whether all of it is whole. */
export function StoreDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const { client, activity } = useSession()
  const [status, setStatus] = useState<Loaded<StoreStatus>>(LOADING)
  const [checked, setChecked] = useState<Loaded<VerifyReport> | undefined>(undefined)

  function ask(): void {
    client.status().then(
      (value) => setStatus(ready(value)),
      (error: unknown) => setStatus({ state: "failed", problem: problemOf(error) }),
    )
  }
  useEffect(ask, [])

  async function check(): Promise<void> {
    setChecked(LOADING)
    try {
      setChecked(ready(await activity.run("Checking", () => client.verify())))
    } catch (error) {
      setChecked({ state: "failed", problem: problemOf(error) })
    }
  }

  return (
    <Dialog title="The store" onClose={onClose}>
      {status.state === "loading" && <Loading what="Looking …" />}
      {status.state === "failed" && <Failed problem={status.problem} onRetry={ask} />}
      {status.state === "ready" && <Facts status={status.value} />}
      <footer class="dialog-foot">
        {checked !== undefined && <Verdict checked={checked} />}
        <Button label="Check every snapshot" disabled={checked?.state === "loading"} onPress={() => void check()} />
      </footer>
    </Dialog>
  )
}

function Facts({ status }: { readonly status: StoreStatus }): JSX.Element {
  const { snapshots, bytes, reclaimable, oldest, gitdir } = status
  const facts: readonly (readonly [string, string])[] = [
    [
      "Snapshots",
      `${count(snapshots.captures, "capture")}, ${snapshots.safety} for safety, ${snapshots.pinned} pinned`,
    ],
    ["Oldest", oldest === undefined ? "none yet" : fullTime(oldest)],
    ["Size", size(bytes.total)],
    ["To be freed", size(reclaimable)],
    ["Where", printable(gitdir)],
  ]
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Verdict({ checked }: { readonly checked: Loaded<VerifyReport> }): JSX.Element {
  if (checked.state === "loading") return <Loading what="Reading every object …" />
  if (checked.state === "failed") return <p role="alert">{checked.problem.message}</p>
  const { ok, snapshots, objects, problems } = checked.value
  return (
    <p class={ok ? "verdict" : "verdict bad"} role="status">
      {ok
        ? `All is whole: ${count(snapshots, "snapshot")}, ${count(objects, "object")}.`
        : `${count(problems.length, "object is", "objects are")} missing or damaged. “treeshot verify --repair” takes back what it can.`}
    </p>
  )
}
