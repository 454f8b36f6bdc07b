import type { JSX } from "preact"
import type { Restore } from "../model/restoring.js"
import { count, printable } from "../model/text.js"
import { Button } from "./button.js"
import { Dialog } from "./dialog.js"
import { Icon } from "./icon.js"
import { PlanList } from "./plan-list.js"
import { ReportList } from "./report-list.js"
import { useSession } from "./session-context.js"
import { Failed, Loading } from "./states.js"

/** A restore, from its plan to its report. */
export function RestoreDialog(): JSX.Element | null {
  const { restoring } = useSession()
  const restore = restoring.current.value
  if (restore === undefined) return null
  return (
    <Dialog title={printable(restore.aim.title)} wide onClose={() => restore.step !== "applying" && restoring.close()}>
      <Body restore={restore} />
    </Dialog>
  )
}

function Body({ restore }: { readonly restore: Restore }): JSX.Element {
  const { restoring } = useSession()
  switch (restore.step) {
    case "planning":
      return <Loading what="Looking at what it would take …" />
    case "applying":
      return <Loading what="Restoring … What is there now was captured first." />
    case "failed":
      return <Failed problem={restore.problem} onRetry={() => restoring.begin(restore.aim)} />
    case "review":
      return <Review restore={restore} />
    case "done":
      return <Done restore={restore} />
  }
}

function Review({ restore }: { readonly restore: Extract<Restore, { step: "review" }> }): JSX.Element {
  const { restoring, activity, connectionState } = useSession()
  const { plan, ticked, aim, keepsAdded } = restore
  const paths = [...plan.writes, ...plan.deletes].map(({ path }) => path)
  const total = paths.length
  const isIdle = activity.running.value === undefined && connectionState.value === "connected"
  if (total + plan.keeps.length === 0)
    return (
      <>
        <p class="plan-nothing">
          <Icon name="done" /> Nothing is different: there is nothing to do.
        </p>
        <footer class="dialog-foot">
          <AddedTick aimOffers={aim.offersAdded} keepsAdded={keepsAdded} />
          <Button label="Close" onPress={() => restoring.close()} />
        </footer>
      </>
    )
  return (
    <>
      <PlanList plan={plan} ticked={ticked} />
      <footer class="dialog-foot">
        <AddedTick aimOffers={aim.offersAdded} keepsAdded={keepsAdded} />
        <Button label="Cancel" onPress={() => restoring.close()} />
        <Button
          label={
            ticked.size === total
              ? `Restore ${count(total, "file")}`
              : `Restore ${ticked.size} of ${count(total, "file")}`
          }
          icon="restore"
          kind="primary"
          disabled={ticked.size === 0 || !isIdle}
          onPress={() => void restoring.apply()}
        />
      </footer>
    </>
  )
}

interface AddedTickProps {
  readonly aimOffers: boolean
  readonly keepsAdded: boolean
}

function AddedTick({ aimOffers, keepsAdded }: AddedTickProps): JSX.Element | null {
  const { restoring } = useSession()
  if (!aimOffers) return null
  return (
    <label class="tick foot-tick">
      <input
        type="checkbox"
        checked={keepsAdded}
        onChange={({ currentTarget }) => restoring.keepAdded(currentTarget.checked)}
      />
      Keep files that were added since
    </label>
  )
}

function Done({ restore }: { readonly restore: Extract<Restore, { step: "done" }> }): JSX.Element {
  const { restoring } = useSession()
  const { report } = restore
  return (
    <>
      <ReportList report={report} />
      <footer class="dialog-foot">
        {report.undo !== undefined && <Button label="Undo" icon="undo" onPress={() => void restoring.undo()} />}
        <Button label="Close" kind="primary" onPress={() => restoring.close()} />
      </footer>
    </>
  )
}
