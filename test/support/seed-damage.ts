import fs from "node:fs"
import { join } from "node:path"

/** Puts other bytes into the place of the packs, or indexes of packs, of a work tree's repository. */
export function damageFile(root: string, extension: ".pack" | ".idx", change: (bytes: Buffer) => Uint8Array): void {
  const packs = join(root, ".git/objects/pack")
  for (const name of fs.readdirSync(packs)) {
    if (!name.endsWith(extension)) continue
    const bytes = change(fs.readFileSync(join(packs, name)))
    fs.rmSync(join(packs, name))
    fs.writeFileSync(join(packs, name), bytes)
  }
}
