import { describe, expect, it, onTestFinished } from "vitest"
import { watchParent, type ParentSource } from "../../src/sidecar/parent-watch.js"

/** A process whose parent goes when a test says so. */
function child(
  platform: string,
  errno = "ESRCH",
): { readonly source: ParentSource; goes(): void; readonly gone: Promise<true> } {
  let isGone = false
  const source: ParentSource = {
    platform,
    get ppid() {
      return isGone && platform !== "win32" ? 1 : 4711
    },
    kill() {
      if (isGone) throw Object.assign(new Error(`kill ${errno}`), { code: errno })
    },
  }
  const gone = new Promise<true>((resolve) => onTestFinished(watchParent(source, 1, () => resolve(true))))
  return { source, goes: () => (isGone = true), gone }
}

describe("the parent has gone", () => {
  it("when there is another one, on POSIX", async () => {
    const { goes, gone } = child("linux")
    goes()
    expect(await gone).toBe(true)
  })

  it("when its number is nobody's, on Windows", async () => {
    const { goes, gone } = child("win32")
    goes()
    expect(await gone).toBe(true)
  })

  it("not for being somebody whom this process may not signal", async () => {
    const { goes, gone } = child("win32", "EPERM")
    goes()
    let looks = 0
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (++looks < 10) return
        clearInterval(timer)
        resolve()
      }, 2)
    })
    expect(await Promise.race([gone, Promise.resolve(false)])).toBe(false)
  })
})
