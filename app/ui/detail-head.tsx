import type { ComponentChildren, JSX } from "preact"
import type { Snapshot } from "../../src/snapshot-store.js"
import { age, fullTime, printable, shortId } from "../model/text.js"
import { beginRestore, beginRevert, nameOf } from "./aims.js"
import { Badges } from "./badges.js"
import { Button } from "./button.js"
import { Choice } from "./choice.js"
import { focusTimeline } from "./focus.js"
import { useSession } from "./session-context.js"
import { useNow } from "./use-now.js"

/** Names what is selected, and offers what can be done with it. */
export function DetailHead(): JSX.Element {
  const { selection, timeline } = useSession()
  const selected = selection.selected.value
  if (selected.kind === "now") return <NowHead />
  if (selected.kind === "two") {
    const older = timeline.withId(selected.older)
    const newer = timeline.withId(selected.newer)
    return older === undefined || newer === undefined ? <GoneHead /> : <TwoHead older={older} newer={newer} />
  }
  const snapshot = timeline.withId(selected.id)
  return snapshot === undefined ? <GoneHead /> : <OneHead snapshot={snapshot} against={selected.against} />
}

function Head({ title, children }: { readonly title: string; readonly children?: ComponentChildren }): JSX.Element {
  const { selection } = useSession()
  return (
    <header class="detail-head">
      <div class="back">
        <Button
          label="Timeline"
          icon="back"
          onPress={() => {
            selection.showTimeline()
            requestAnimationFrame(focusTimeline)
          }}
        />
      </div>
      <h2>{title}</h2>
      {children}
    </header>
  )
}

function GoneHead(): JSX.Element {
  return <Head title="This snapshot is gone" />
}

function NowHead(): JSX.Element {
  const session = useSession()
  const newest = session.timeline.newestCapture.value
  const isBusy = useBusy()
  const changes = session.live.changes.value
  const isChanged = changes.state === "ready" && changes.value.length > 0
  return (
    <Head title="The folder now">
      <p class="detail-facts">
        {newest === undefined
          ? "There is no snapshot yet."
          : `Compared with “${printable(nameOf(newest))}”, the newest snapshot.`}
      </p>
      <div class="actions">
        <Button
          label="Capture …"
          icon="capture"
          hotkey="n"
          disabled={isBusy}
          onPress={() => (session.asking.value = { kind: "capture" })}
        />
        <Button
          label="Back to the newest snapshot …"
          icon="restore"
          hotkey="r"
          disabled={isBusy || !isChanged}
          onPress={() => beginRestore(session)}
        />
      </div>
    </Head>
  )
}

interface OneHeadProps {
  readonly snapshot: Snapshot
  readonly against: "before" | "now"
}

function OneHead({ snapshot, against }: OneHeadProps): JSX.Element {
  const session = useSession()
  const isBusy = useBusy()
  const now = useNow()
  const { id, label, createdAt, pinned, metadata } = snapshot
  return (
    <Head title={label === undefined ? `Snapshot ${shortId(id)}` : printable(label)}>
      <p class="detail-facts">
        <time dateTime={createdAt.toISOString()}>{fullTime(createdAt)}</time>
        <span class="age">{age(createdAt, now)}</span>
        <code title={id}>{shortId(id)}</code>
        <Badges snapshot={snapshot} />
        {Object.entries(metadata).map(([name, value]) => (
          <span key={name} class="metadata">
            {printable(name)}: {printable(value)}
          </span>
        ))}
      </p>
      <div class="actions">
        <Button
          label="Restore …"
          icon="restore"
          kind="primary"
          hotkey="r"
          disabled={isBusy}
          onPress={() => beginRestore(session)}
        />
        <Button
          label="Take back …"
          icon="revert"
          hotkey="t"
          disabled={isBusy || session.timeline.before(snapshot) === undefined}
          onPress={() => beginRevert(session)}
        />
        <Button
          label="Compare with …"
          icon="compare"
          compact="narrow"
          hotkey="c"
          onPress={() => session.selection.startPairing()}
        />
        <Button
          label={pinned ? "Unpin" : "Pin"}
          icon={pinned ? "unpin" : "pin"}
          compact="narrow"
          hotkey="p"
          disabled={isBusy}
          onPress={() => void session.pin(snapshot, !pinned)}
        />
        <Button
          label="Forget …"
          icon="forget"
          compact="narrow"
          disabled={isBusy}
          onPress={() => (session.asking.value = { kind: "forget", snapshot })}
        />
      </div>
      <Choice
        legend="Compared with"
        value={against}
        options={[
          { value: "before", label: "Against the one before" },
          { value: "now", label: "Against the folder now" },
        ]}
        onChoose={(side) => session.selection.against(side)}
      />
    </Head>
  )
}

function TwoHead({ older, newer }: { readonly older: Snapshot; readonly newer: Snapshot }): JSX.Element {
  const session = useSession()
  const isBusy = useBusy()
  return (
    <Head title="Two snapshots">
      <dl class="two">
        <div>
          <dt>From</dt>
          <dd>
            {printable(nameOf(older))} <span class="muted">{fullTime(older.createdAt)}</span>
          </dd>
        </div>
        <div>
          <dt>To</dt>
          <dd>
            {printable(nameOf(newer))} <span class="muted">{fullTime(newer.createdAt)}</span>
          </dd>
        </div>
      </dl>
      <div class="actions">
        <Button label="Take back …" icon="revert" hotkey="t" disabled={isBusy} onPress={() => beginRevert(session)} />
        <Button label="Compare no more" icon="close" onPress={() => session.selection.choose(newer.id)} />
      </div>
    </Head>
  )
}

/** Nothing is begun while something runs, or nobody is there to do it. */
function useBusy(): boolean {
  const { activity, connectionState } = useSession()
  return activity.running.value !== undefined || connectionState.value !== "connected"
}
