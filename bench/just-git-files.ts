import { promises as fs, type Stats } from "node:fs"
import { join } from "node:path"
import type { FileStat, FileSystem } from "just-git"

/** The files of the system as just-git wants them: the work tree at `root`, and the gitdir in it, wherever it lies. */
export function repositoryFiles(root: string, worktree: string, gitdir: string): FileSystem {
  const inGitdir = `${root}/.git`
  function real(path: string): string {
    if (path === inGitdir || path.startsWith(`${inGitdir}/`)) return join(gitdir, path.slice(inGitdir.length))
    if (path === root || path.startsWith(`${root}/`)) return join(worktree, path.slice(root.length))
    // Above the repository there is nothing.
    return join(gitdir, "nowhere", path)
  }
  return {
    readFile: (path) => fs.readFile(real(path), "utf8"),
    readFileBuffer: (path) => fs.readFile(real(path)),
    writeFile: (path, content) => fs.writeFile(real(path), content),
    exists: (path) =>
      fs.lstat(real(path)).then(
        () => true,
        () => false,
      ),
    stat: async (path) => facts(await fs.stat(real(path))),
    lstat: async (path) => facts(await fs.lstat(real(path))),
    async mkdir(path, options) {
      await fs.mkdir(real(path), options)
    },
    readdir: (path) => fs.readdir(real(path)),
    rm: (path, options) => fs.rm(real(path), options),
    readlink: (path) => fs.readlink(real(path)),
    symlink: (target, path) => fs.symlink(target, real(path)),
  }
}

function facts(stat: Stats): FileStat {
  return {
    isFile: stat.isFile(),
    isDirectory: stat.isDirectory(),
    isSymbolicLink: stat.isSymbolicLink(),
    mode: stat.mode,
    size: stat.size,
    mtime: stat.mtime,
  }
}
