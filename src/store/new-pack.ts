import { randomHex } from "../core/random.js"
import type { GitdirLayout } from "./gitdir.js"
import { packWriter, type PackWriter } from "./pack-writer.js"
import type { ObjectPorts } from "./stored-object.js"

/** Begins a pack that belongs to no capture; once it is published, it is on the medium. Only for who holds the maintenance lock. */
export function newPack(ports: ObjectPorts, layout: GitdirLayout): PackWriter {
  return packWriter({
    ...ports,
    temporaryFolder: layout.temporary,
    packFolder: layout.packs,
    name: `pack-${randomHex(20)}`,
    durable: true,
  })
}
