import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { vi } from "vitest"
import { temporaryFolder } from "./temporary-folder.js"

/** Puts a `git` on the path that runs these lines of shell first, and then the real one, which is `$REAL` there. */
export async function gitThat(lines: string): Promise<void> {
  const folder = await temporaryFolder()
  const real = (process.env["PATH"] ?? "").split(":").find((place) => existsSync(join(place, "git")))
  const script = `#!/bin/sh\nREAL="${real}/git"\n${lines}\nexec "$REAL" "$@"\n`
  writeFileSync(join(folder, "git"), script, { mode: 0o755 })
  vi.stubEnv("PATH", `${folder}:${process.env["PATH"]}`)
}
