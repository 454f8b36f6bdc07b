import type { COMMITTER } from "./commit.js"
import type { Mode } from "./tree.js"

/** The folder calls that isomorphic-git makes when it writes an object. */
export interface ObjectFolder {
  readonly promises: {
    readonly readFile: (path: string) => Promise<Uint8Array>
    readonly writeFile: (path: string, bytes: Uint8Array) => Promise<void>
    readonly mkdir: (path: string) => Promise<void>
    readonly rmdir: (path: string) => Promise<void>
    readonly unlink: (path: string) => Promise<void>
    readonly readdir: (path: string) => Promise<string[]>
    readonly stat: (path: string) => Promise<{ readonly isDirectory: () => boolean; readonly isFile: () => boolean }>
    readonly lstat: (path: string) => Promise<{ readonly isDirectory: () => boolean; readonly isFile: () => boolean }>
    readonly readlink: (path: string) => Promise<string>
    readonly symlink: (target: string, path: string) => Promise<void>
  }
}

/** A commit in isomorphic-git's form. */
export interface LibraryCommit {
  readonly tree: string
  readonly parent: string[]
  readonly message: string
  readonly author: LibraryPerson
  readonly committer: LibraryPerson
}

/** An author or committer in isomorphic-git's form. */
export interface LibraryPerson {
  readonly name: (typeof COMMITTER)["name"]
  readonly email: (typeof COMMITTER)["email"]
  readonly timestamp: number
  readonly timezoneOffset: number
}

/** The part of isomorphic-git that builds objects. Loaded when it is first needed, since loading takes long. */
export interface GitLibrary {
  writeTree(request: {
    readonly fs: ObjectFolder
    readonly gitdir: string
    readonly tree: { mode: Mode; path: string; oid: string; type: "blob" | "tree" | "commit" }[]
  }): Promise<string>
  writeCommit(request: {
    readonly fs: ObjectFolder
    readonly gitdir: string
    readonly commit: LibraryCommit
  }): Promise<string>
}
