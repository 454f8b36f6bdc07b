import { memfs } from "memfs"
import { expect, test } from "vitest"
import { utf8 } from "../../src/core/bytes.js"
import { clientFileSystem } from "../../src/platform/client-file-system.js"
import { faultyFileSystem, type FaultyFileSystem, type Fault } from "../support/faulty-file-system.js"

function faulty(...faults: Fault[]): {
  readonly fs: FaultyFileSystem
  readonly read: (path: string) => Promise<string>
} {
  const inner = clientFileSystem(memfs({ "/a": "a", "/b": "b" }).fs)
  return {
    fs: faultyFileSystem(inner, faults),
    read: async (path) => new TextDecoder().decode(await inner.readFile(path)),
  }
}

test("without a plan every call does its work and is recorded, those of files and folders too", async () => {
  const { fs, read } = faulty()
  const file = await fs.open("/new", "create")
  await file.write(utf8("text"), 0)
  await file.close()
  const folder = await fs.openFolder("/")
  await folder.check()
  await folder.close()
  expect(await read("/new")).toBe("text")
  expect(fs.calls.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    "open /new",
    "file.write /new",
    "file.close /new",
    "openFolder /",
    "folder.check /",
    "folder.close /",
  ])
  expect(fs.struck).toBe(false)
})

test("the n-th call of a kind fails once, with the error that was asked for and no effect", async () => {
  const { fs, read } = faulty({ kind: "unlink", call: 2, how: "fail", errno: "EACCES" })
  await fs.unlink("/a")
  await expect(fs.unlink("/b")).rejects.toMatchObject({ code: "IO_FAILED", details: { errno: "EACCES", path: "/b" } })
  expect(await read("/b")).toBe("b")
  await fs.unlink("/b")
  expect(fs.struck).toBe(true)
})

test("a short write leaves the first half", async () => {
  const { fs, read } = faulty({ kind: "file.write", call: 1, how: "short", errno: "ENOSPC" })
  const file = await fs.open("/new", "create")
  await expect(file.write(utf8("12345678"), 0)).rejects.toMatchObject({ code: "NO_SPACE" })
  await file.close()
  expect(await read("/new")).toBe("1234")
})

test("after a kill nothing takes effect any more", async () => {
  const { fs, read } = faulty({ path: "/b", call: 1, how: "kill" })
  const file = await fs.open("/new", "create")
  await expect(fs.unlink("/b")).rejects.toMatchObject({ details: { errno: "KILLED" } })
  await expect(file.write(utf8("x"), 0)).rejects.toThrow(/killed/)
  await expect(fs.unlink("/a")).rejects.toThrow(/killed/)
  await expect(file.close()).rejects.toThrow(/killed/)
  expect([await read("/a"), await read("/b"), await read("/new")]).toEqual(["a", "b", ""])
})

test("a kill after a call lets that call take effect", async () => {
  const { fs, read } = faulty({ kind: "rename", call: 1, how: "kill-after" })
  await expect(fs.rename("/a", "/b")).rejects.toThrow(/killed/)
  expect(await read("/b")).toBe("a")
})
