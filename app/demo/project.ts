import { memfs } from "memfs"
import { openStore, type SnapshotStore } from "../../src/browser.js"
import { FIRST_FILES } from "./first-files.js"

/** A small project in memory, with a store. */
export interface Project {
  readonly store: SnapshotStore
  /** The paths of its files, sorted. */
  paths(): readonly string[]
  /** Undefined where there is no such file. */
  read(path: string): string | undefined
  /** Writes a file; without a text removes it. */
  write(path: string, text: string | undefined): void
}

/** Makes the project, and takes its first snapshot. */
export async function openProject(): Promise<Project> {
  const { fs, vol } = memfs(FIRST_FILES, ROOT)
  const store = await openStore({ worktree: ROOT, gitdir: "/store", fs })
  await store.capture({ label: "The project as it came" })
  const place = (path: string): string => `${ROOT}/${path}`
  return {
    store,
    paths: () =>
      Object.keys(vol.toJSON(ROOT, undefined, true))
        .filter((path) => fs.existsSync(place(path)) && fs.statSync(place(path)).isFile())
        .sort(),
    read: (path) => (fs.existsSync(place(path)) ? String(fs.readFileSync(place(path), "utf8")) : undefined),
    write(path, text) {
      if (text === undefined) {
        fs.rmSync(place(path), { force: true })
        return
      }
      fs.mkdirSync(place(path).slice(0, place(path).lastIndexOf("/")), { recursive: true })
      fs.writeFileSync(place(path), text)
    },
  }
}

const ROOT = "/home/you/todo"
