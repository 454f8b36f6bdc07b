import type { FileSystemClient } from "../../core/file-system-client.js"
import type { Platform } from "../../core/platform.js"
import { clientFileSystem } from "../client-file-system.js"
import { systemClock } from "../system-clock.js"
import { picomatchLister } from "./picomatch-lister.js"
import { webDeflater } from "./web-deflater.js"
import { webHasher } from "./web-hasher.js"
import { webOwner } from "./web-owner.js"

/** The ports in a browser, or wherever there is nothing but the web's own interfaces. */
export function webPlatform(client: FileSystemClient): Platform {
  const fileSystem = clientFileSystem(client)
  return {
    fileSystem,
    hasher: webHasher(),
    deflater: webDeflater(),
    clock: systemClock(),
    owner: webOwner(),
    lister: picomatchLister(fileSystem),
    environment: { variables: {} },
  }
}
