import type { LaunchEvents } from "./sidecar-launcher.js"

/** A stream of bytes, as far as it is read here. */
export interface ByteStream {
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown
  on(event: "end" | "close" | "error", listener: () => void): unknown
}

/** Reads the stderr of a process, always: a full pipe would hold it up. */
export function readStderr(stream: ByteStream | null | undefined, events: LaunchEvents): void {
  const onEnd = (): void => events.onStderrEnd()
  if (stream === null || stream === undefined) return onEnd()
  stream.on("data", (chunk) => events.onStderr(chunk))
  for (const event of ["end", "close", "error"] as const) stream.on(event, onEnd)
}
