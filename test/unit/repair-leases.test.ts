/*
 * A repair beside captures that are still bringing packs in.
 */
import { join } from "node:path"
import { expect, test } from "vitest"
import { flipped, overwrite, packsOf } from "../support/damage.js"
import { faultyFileSystem, type FileSystemCall } from "../support/faulty-file-system.js"
import { onMemory, type StoreUnderTest } from "../support/store-under-test.js"

const LEASE = "ab".repeat(16)

/** A store with a damaged pack, and the bytes of a whole one with its index. */
async function damaged(): Promise<{ place: StoreUnderTest; pack: Buffer; index: Buffer; brought: string }> {
  const place = await onMemory()
  const store = await place.open()
  for (const text of ["one", "two"]) {
    place.write("a", text)
    await store.capture()
  }
  await store.close()
  const [first, second] = packsOf(place) as [string, string]
  const read = (path: string): Buffer => Buffer.from(place.fs.readFileSync(path))
  overwrite(place, `${first}.pack`, (bytes) => flipped(bytes, -1))
  const brought = join(place.gitdir, `objects/pack/pack-${LEASE}01234567`)
  return { place, pack: read(`${second}.pack`), index: read(`${second}.idx`), brought }
}

/** Repairs, and does something before the first call that `isMoment` names, once the lock is taken. */
async function repairWith(
  place: StoreUnderTest,
  isMoment: (call: FileSystemCall) => boolean,
  step: () => void,
): Promise<readonly string[]> {
  let isDone = false
  const lock = join(place.gitdir, "locks/maintenance")
  const store = await place.openOn((inner) =>
    faultyFileSystem(inner, [], (call, make) => {
      if (!isDone && isMoment(call) && place.fs.lstatSync(lock, { throwIfNoEntry: false }) !== undefined) {
        isDone = true
        step()
      }
      return make()
    }),
  )
  const { setAside } = await store.verify({ repair: true })
  expect(isDone).toBe(true)
  return setAside
}

/** Takes a lease whose owner cannot be asked, and so counts as alive, and begins to copy a pack. */
function begin({ fs, gitdir }: StoreUnderTest, brought: string, pack: Buffer): void {
  const terms = { id: LEASE, createdMs: Date.now(), owner: {} }
  fs.writeFileSync(join(gitdir, `leases/${LEASE}.ref`), "")
  fs.writeFileSync(join(gitdir, `leases/${LEASE}.json`), JSON.stringify(terms))
  fs.writeFileSync(`${brought}.pack`, pack.subarray(0, pack.length >> 1))
}

test("leaves a pack alone that a capture has begun to bring in since the repair began", async () => {
  const { place, pack, brought } = await damaged()
  const isListing = ({ kind, path }: FileSystemCall): boolean => kind === "list" && path.endsWith("objects/pack")
  const setAside = await repairWith(place, isListing, () => begin(place, brought, pack))
  expect(setAside).toHaveLength(2)
  expect(setAside.filter((path) => path.includes(LEASE))).toEqual([])
  expect(place.fs.lstatSync(`${brought}.pack`).isFile()).toBe(true)
})

test("leaves one alone that was whole by the time at which its lease was gone", async () => {
  const { place, pack, index, brought } = await damaged()
  begin(place, brought, pack)
  const isLookAtLeases = ({ kind, path }: FileSystemCall): boolean => kind === "list" && path.endsWith("leases")
  const setAside = await repairWith(place, isLookAtLeases, () => {
    place.fs.writeFileSync(`${brought}.pack`, pack)
    place.fs.writeFileSync(`${brought}.idx`, index)
    for (const end of ["ref", "json"]) place.fs.unlinkSync(join(place.gitdir, `leases/${LEASE}.${end}`))
  })
  expect(setAside.filter((path) => path.includes(LEASE))).toEqual([])
  for (const [end, bytes] of [["pack", pack] as const, ["idx", index] as const])
    expect(Buffer.from(place.fs.readFileSync(`${brought}.${end}`)).equals(bytes)).toBe(true)
})
