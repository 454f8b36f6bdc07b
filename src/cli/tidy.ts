import { spawn } from "node:child_process"
import type { SnapshotStore } from "../snapshot-store.js"

/** Lets another process maintain the store when that is due, so that nobody waits for it. A failure is of no harm: it is tried again. */
export async function tidyIfDue({ worktree, gitdir, workspace, maintenanceDue }: SnapshotStore): Promise<void> {
  if (!(await maintenanceDue().catch(() => false))) return
  const options = ["-C", worktree, "--store", gitdir, "--workspace", workspace, "--allow-any-root"]
  const child = spawn(process.execPath, [process.argv[1] ?? "", "gc", "--auto", ...options], {
    cwd: gitdir,
    detached: true,
    stdio: "ignore",
  })
  child.on("error", () => {})
  child.unref()
}
