import { createHash } from "node:crypto"
import { encodeCommit } from "../../src/core/commit.js"
import type { Oid } from "../../src/core/oid.js"
import { snapshotRef, type Workspace } from "../../src/core/ref-name.js"
import { snapshotCommit, type SnapshotRecord } from "../../src/core/snapshot-commit.js"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { git } from "./git.js"

/**
 * Adds `count` snapshots to a closed store, an hour apart, the last of them an hour ago, in a second instead of minutes:
 * native git writes them as captures would. They have the trees of `trees` in turn.
 */
export function addSnapshots(
  { gitdir, workspace }: Pick<SnapshotStore, "gitdir" | "workspace">,
  trees: readonly string[],
  count: number,
): void {
  const end = Date.now() - HOUR_MS
  const lines: string[] = []
  let previous: Oid | undefined
  for (let number = 1; number <= count; number++) {
    const record: SnapshotRecord = {
      kind: "capture",
      workspace: workspace as Workspace,
      createdMs: end - (count - number) * HOUR_MS,
      skipped: 0,
      label: `step ${number}`,
      metadata: {},
      nonce: number.toString(16).padStart(16, "0"),
      ...(previous === undefined ? {} : { previous }),
    }
    const commit = snapshotCommit(record, trees[number % trees.length] as Oid, undefined)
    const bytes = encodeCommit(commit)
    previous = createHash("sha1").update(`commit ${bytes.length}\0`).update(bytes).digest("hex") as Oid
    const person = `treeshot <treeshot@localhost> ${commit.seconds} +0000`
    lines.push(
      `commit ${snapshotRef(record.workspace, record.createdMs, record.nonce)}`,
      `author ${person}`,
      `committer ${person}`,
      `data ${Buffer.byteLength(commit.message)}`,
      commit.message,
      `M 040000 ${commit.tree} `,
      "",
    )
  }
  git(["fast-import", "--quiet", "--done"], { cwd: gitdir, input: `${lines.join("\n")}\ndone\n` })
  git(["pack-refs", "--all"], { cwd: gitdir })
}

const HOUR_MS = 3_600_000
