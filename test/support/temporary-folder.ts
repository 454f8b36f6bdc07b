import { mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"

/** The real path of a new empty folder that goes with the test that asked for it. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "treeshot-test-")))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}
