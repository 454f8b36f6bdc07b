import { SnapshotError } from "../core/errors.js"
import { runGit } from "./git.js"
import { requireSuccess } from "./require-success.js"
import { NO_CONFIG } from "./scratch-gitdir.js"

/** Runs native git once: UNSUPPORTED where that cannot be done. */
export async function checkGit(): Promise<void> {
  const result = await runGit(["--version"], { env: NO_CONFIG, timeoutMs: LONGEST_MS })
  try {
    requireSuccess(result)
  } catch (cause) {
    throw new SnapshotError(
      "UNSUPPORTED",
      "Native git cannot be run here. Install git, or leave backend out to use the pure one.",
      { capability: "backend native" },
      cause,
    )
  }
}

/** What has not told its version by then hangs. */
const LONGEST_MS = 30_000
