import type { JSX } from "preact"
import { Asking } from "./asking.js"
import { ConnectionBar } from "./connection-bar.js"
import { Detail } from "./detail.js"
import { NoticeList } from "./notice-list.js"
import { ProgressLine } from "./progress-line.js"
import { RestoreDialog } from "./restore-dialog.js"
import { useSession } from "./session-context.js"
import { Loading } from "./states.js"
import { TimelinePane } from "./timeline-pane.js"
import { TopBar } from "./top-bar.js"
import { useHotkeys } from "./use-hotkeys.js"

/** The page of one store. */
export function App(): JSX.Element {
  const { connectionState, selection } = useSession()
  useHotkeys()
  const isFirst = connectionState.value === "connecting"
  return (
    <div class="page" data-view={selection.view.value}>
      <TopBar />
      <ProgressLine />
      <ConnectionBar />
      {isFirst ? (
        <main class="panes">
          <Loading what="Looking for the server …" />
        </main>
      ) : (
        <main class="panes">
          <TimelinePane />
          <Detail />
        </main>
      )}
      <NoticeList />
      <RestoreDialog />
      <Asking />
    </div>
  )
}
