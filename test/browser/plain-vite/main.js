import { memfs } from "memfs"
import { openStore } from "treeshot/browser"

const bufferWasThere = "Buffer" in globalThis
const { fs, vol } = memfs({
  "/project/README.md": "one\ntwo\n",
  "/project/src/deep/kept.txt": "kept\n",
  "/project/src/removed.txt": "removed\n",
})

globalThis.outcome = play()

async function play() {
  const store = await openStore({ worktree: "/project", gitdir: "/store", fs })
  const before = await store.capture({ label: "before" })
  await fs.promises.writeFile("/project/README.md", "one\n2\n")
  await fs.promises.unlink("/project/src/removed.txt")
  await fs.promises.writeFile("/project/added.txt", "added\n")
  const after = await store.capture()
  const diff = await store.diff(before.snapshot.id, after.snapshot.id)
  const report = await store.restore(before.snapshot.id)
  const listed = await store.list()
  await store.close()
  return {
    bufferWasThere,
    bufferWasBrought: "Buffer" in globalThis,
    processIsThere: "process" in globalThis,
    tree: before.snapshot.tree,
    changed: diff.map(({ status, path, additions, deletions }) => ({ status, path, additions, deletions })),
    complete: report.complete,
    files: vol.toJSON("/project"),
    listed: listed.map((snapshot) => snapshot.label),
  }
}
