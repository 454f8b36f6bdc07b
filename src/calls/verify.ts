import { SnapshotError } from "../core/errors.js"
import type { VerifyOptions, VerifyReport } from "../snapshot-store.js"
import { checkStore, type StoreCheckRequest } from "../store/check-store.js"
import { isForeign } from "../store/foreign.js"
import { readLeases } from "../store/live-leases.js"
import { repairStore, type StoreRepair } from "../store/repair-store.js"
import { OWN_REFS } from "../store/roots.js"
import { checkRecords, repairRecords } from "./check-records.js"
import type { StoreContext } from "./context.js"
import { lostContentSources } from "./lost-content.js"
import { aliveness, MAINTENANCE, underLock } from "./under-lock.js"

/** Checks the store; with `repair`, repairs what is wrong: LOCK_HELD. */
export async function verify(store: StoreContext, options: VerifyOptions = {}): Promise<VerifyReport> {
  const { repair = false, signal } = options
  if (typeof repair !== "boolean")
    throw new SnapshotError("INVALID_ARGUMENT", "repair is true or false.", { argument: "repair" })
  signal?.throwIfAborted()
  const request = requestOf(store, options)
  const found = reportOf(
    { check: await checkStore(request), repaired: [], setAside: [], adopted: [], lost: [] },
    await checkRecords(store),
  )
  if (found.ok || !repair) return found
  const done = await underLock(store, MAINTENANCE, async () => {
    const [repaired, records] = [await repairUnderLock(store, request), await repairRecords(store)]
    const { left, mended, setAside } = records
    const all = {
      ...repaired,
      repaired: [...repaired.repaired, ...mended],
      setAside: [...repaired.setAside, ...setAside],
    }
    return reportOf(all, left)
  })
  // What was missing before is looked for again.
  await store.objects.rescan()
  return done
}

async function repairUnderLock(store: StoreContext, request: StoreCheckRequest): Promise<StoreRepair> {
  const { layout, refs, platform } = store
  const sources = await lostContentSources(store, request.signal)
  const isOthers = await isForeign(platform.fileSystem, layout)
  try {
    return await repairStore({
      ...request,
      refs,
      nowMs: platform.clock.nowMs(),
      leases: () => readLeases(platform.fileSystem, layout.leases, aliveness(store)),
      sources,
      isOurs: (ref) => !isOthers || OWN_REFS.test(ref),
    })
  } finally {
    for (const source of sources) await source.close()
  }
}

function requestOf({ platform, layout }: StoreContext, { signal, onProgress }: VerifyOptions): StoreCheckRequest {
  const { fileSystem, hasher, deflater, unpacker } = platform
  return { fileSystem, hasher, deflater, unpacker, layout, signal, onProgress }
}

function reportOf(
  { check, repaired, setAside, adopted, lost }: StoreRepair,
  others: VerifyReport["problems"],
): VerifyReport {
  const problems = [...check.problems, ...others, ...lost]
  return {
    ok: problems.length === 0,
    snapshots: check.snapshots,
    objects: check.objects,
    problems,
    repaired,
    setAside,
    adopted,
  }
}
