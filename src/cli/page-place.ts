import { fileURLToPath } from "node:url"
import type { Option, Words } from "./command.js"
import { wholeNumber, wrongUse } from "./values.js"

/** The built page, beside the folder of the built command. */
export const PAGE_FOLDER: string = fileURLToPath(new URL("../app/", import.meta.url))

/** Where to listen. */
export const PORT: Option = { usage: "--port <number>", text: "The port on 127.0.0.1 (default: a free one)" }

/** The value of PORT; 0 when it is not given. */
export function portOf(words: Words): number {
  const port = wholeNumber(words, "port", 0) ?? 0
  if (port > 65_535) throw wrongUse("port", "--port takes a number up to 65535.")
  return port
}
