/*
 * What the tests of treeshot/opencode run on: a folder, a gitdir, and the calls on both.
 */
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { onTestFinished, vi } from "vitest"
import { openStore, type SnapshotStore } from "../../src/index.js"
import { createSnapshot, type CreateSnapshotOptions, type SnapshotCalls } from "../../src/opencode/index.js"
import { gitIsThere } from "./git.js"
import { temporaryFolder } from "./temporary-folder.js"

/** The backends that every test of the calls runs on. */
export const CALLS_BACKENDS: readonly ("pure" | "native")[] = gitIsThere() ? ["pure", "native"] : ["pure"]

/** A failure that onError was told of. */
export interface Told {
  readonly call: string
  readonly code: string
  readonly error: unknown
}

/** A folder under test. Paths are relative to it. */
export interface CallsUnderTest {
  readonly root: string
  readonly gitdir: string
  /** The folder that holds both. */
  readonly scratch: string
  /** What onError was told so far. */
  readonly told: Told[]
  /** The calls; closed when the test has finished. */
  create(options?: Partial<CreateSnapshotOptions>): SnapshotCalls
  /** The same store by its own contract. */
  openStore(): Promise<SnapshotStore>
  write(path: string, content: string | Uint8Array): void
  read(path: string): string | undefined
  exists(path: string): boolean
  remove(path: string): void
}

/** Starts with an empty folder, no gitdir, and nobody's configuration. */
export async function startCalls(backend: "pure" | "native" = "pure"): Promise<CallsUnderTest> {
  const home = await temporaryFolder()
  for (const name of ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"]) vi.stubEnv(name, home)
  vi.stubEnv("GIT_CONFIG_GLOBAL", undefined)
  onTestFinished(() => void vi.unstubAllEnvs())
  const scratch = await temporaryFolder()
  const [root, gitdir] = [join(scratch, "work"), join(scratch, "snapshot", "project", "tree")]
  mkdirSync(root)
  const told: Told[] = []
  const at = (path: string): string => join(root, path)
  return {
    root,
    gitdir,
    scratch,
    told,
    create(options = {}) {
      const onError = (error: unknown, call: string): void => {
        told.push({ call, code: (error as { code?: string }).code ?? String(error), error })
      }
      const calls = createSnapshot({ directory: root, gitdir, backend, onError, ...options })
      onTestFinished(() => calls.close())
      return calls
    },
    async openStore() {
      const store = await openStore({ worktree: root, gitdir })
      onTestFinished(() => store.close())
      return store
    },
    write(path, content) {
      mkdirSync(dirname(at(path)), { recursive: true })
      writeFileSync(at(path), content)
    },
    read: (path) => (existsSync(at(path)) && lstatSync(at(path)).isFile() ? readFileSync(at(path), "utf8") : undefined),
    exists: (path) => lstatSync(at(path), { throwIfNoEntry: false }) !== undefined,
    remove: (path) => rmSync(at(path), { recursive: true }),
  }
}
