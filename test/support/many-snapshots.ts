import { snapshotCommit, type SnapshotRecord } from "../../src/core/snapshot-commit.js"
import { snapshotRef, type Workspace } from "../../src/core/ref-name.js"
import type { Oid } from "../../src/core/oid.js"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { git } from "./git.js"

/**
 * Adds `count` snapshots to a closed store, an hour apart and all older than what is there, in a second instead of minutes:
 * native git writes them as captures would. They have the trees of `trees` in turn.
 */
export function addSnapshots(
  { gitdir, workspace }: Pick<SnapshotStore, "gitdir" | "workspace">,
  trees: readonly string[],
  count: number,
): void {
  const end = Date.now() - HOUR_MS
  const lines: string[] = []
  for (let number = 1; number <= count; number++) {
    const createdMs = end - (count - number) * HOUR_MS
    const nonce = number.toString(16).padStart(16, "0")
    const record: SnapshotRecord = {
      kind: "capture",
      workspace: workspace as Workspace,
      createdMs,
      skipped: 0,
      label: `step ${number}`,
      metadata: {},
      nonce,
    }
    const tree = trees[number % trees.length] as Oid
    const { message, seconds } = snapshotCommit(record, tree, undefined)
    const person = `treeshot <treeshot@localhost> ${seconds} +0000`
    lines.push(
      `commit ${snapshotRef(record.workspace, createdMs, nonce)}`,
      `author ${person}`,
      `committer ${person}`,
      `data ${Buffer.byteLength(message)}`,
      message,
      `M 040000 ${tree} `,
      "",
    )
  }
  git(["fast-import", "--quiet", "--done"], { cwd: gitdir, input: `${lines.join("\n")}\ndone\n` })
  git(["pack-refs", "--all"], { cwd: gitdir })
}

const HOUR_MS = 3_600_000
