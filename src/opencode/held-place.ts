import { lstat } from "node:fs/promises"
import { join } from "node:path"
import { SnapshotError } from "../core/errors.js"
import { openPlace, type Place, type PlaceRequest } from "./place.js"

/** A place that is opened when it is needed. */
export interface HeldPlace {
  /** The open place; opens it when it is not, and anew when its gitdir is gone or another one. */
  open(): Promise<Place>
  /** Whether there is a store: at the gitdir that was asked for, or where this object has opened one. IO_FAILED. */
  isThere(): Promise<boolean>
  /** Closes what was opened. */
  close(): Promise<void>
}

/** Touches nothing until the place is needed. */
export function holdPlace(request: PlaceRequest): HeldPlace {
  let held: Promise<Opened> | undefined
  const letGo = new Set<Promise<void>>()

  async function openAnew(): Promise<Opened> {
    const place = await openPlace(request)
    return { place, mark: await markOf(place) }
  }

  async function open(): Promise<Place> {
    const before = held
    const known = await before?.catch(() => undefined)
    if (known !== undefined && held === before && (await isGone(known)) && held === before) {
      held = undefined
      // What still runs on it ends by itself.
      const closing = known.place.store.close().catch(() => undefined)
      letGo.add(closing)
      void closing.then(() => letGo.delete(closing))
    }
    if (held === undefined) {
      const opening = openAnew()
      held = opening
      opening.catch(() => {
        if (held === opening) held = undefined
      })
    }
    return (await held).place
  }

  return {
    open,
    async isThere() {
      const known = await held?.catch(() => undefined)
      const gitdir = known?.place.store.gitdir ?? request.open.gitdir
      return gitdir !== undefined && (await stands(gitdir))
    },
    async close() {
      const opened = await held?.catch(() => undefined)
      await Promise.all([opened?.place.store.close(), ...letGo])
    },
  }
}

interface Opened {
  readonly place: Place
  readonly mark: string | undefined
}

/** Another object may have made the gitdir again already: what this store knows of the one before is no use then. */
async function isGone({ place, mark }: Opened): Promise<boolean> {
  try {
    return (await markOf(place)) !== mark
  } catch {
    // The call that needs the gitdir fails by itself.
    return false
  }
}

/** Tells one gitdir from another at the same path; undefined when there is none. */
async function markOf({ store }: Place): Promise<string | undefined> {
  const stat = await lookAt(join(store.gitdir, "objects"))
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}:${stat.birthtimeMs}`
}

async function stands(path: string): Promise<boolean> {
  return (await lookAt(path)) !== undefined
}

async function lookAt(path: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  try {
    return await lstat(path)
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code ?? "unknown"
    if (errno === "ENOENT") return undefined
    const details = { action: "look for the gitdir", path, errno }
    throw new SnapshotError("IO_FAILED", `Could not look at ${path} (${errno}).`, details, cause)
  }
}
