import { lossyText } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import { runGit } from "./git.js"

/** Runs native git once: UNSUPPORTED where that cannot be done. */
export async function checkGit(): Promise<void> {
  const result = await runGit(["--version"])
  if (result.ok) return
  throw new SnapshotError(
    "UNSUPPORTED",
    "Native git cannot be run here. Install git, or leave backend out to use the pure one.",
    { capability: "backend native" },
    new Error(lossyText(result.stderr)),
  )
}
