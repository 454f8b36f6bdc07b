/*
 * What a supervisor and its sidecar say to each other. docs/SIDECAR.md is the whole of it.
 */

/** The sidecar's token, in its environment. */
export const TOKEN_VARIABLE = "TREESHOT_SIDECAR_TOKEN"
/** Its generation, in its environment. */
export const GENERATION_VARIABLE = "TREESHOT_SIDECAR_GENERATION"

/** From the sidecar: it is still on its way. */
export interface StartingMessage {
  readonly type: "starting"
  readonly token: string
}

/** From the sidecar: it answers at `url`. */
export interface ReadyMessage {
  readonly type: "ready"
  readonly token: string
  readonly url: string
  readonly pid: number
}

/** To the sidecar: finish or take back what runs, and exit. */
export interface StopMessage {
  readonly type: "stop"
  readonly reason: string
}

/** A stop message. */
export function stopMessage(reason: string): StopMessage {
  return { type: "stop", reason }
}

/** The sidecar's message that `value` is; undefined for what is none of ours. */
export function toChildMessage(value: unknown): StartingMessage | ReadyMessage | undefined {
  const { type, token, url, pid } = fieldsOf(value)
  if (typeof token !== "string") return undefined
  if (type === "starting") return { type, token }
  if (type !== "ready" || typeof url !== "string" || typeof pid !== "number") return undefined
  return { type, token, url, pid }
}

/** The stop message that `value` is; undefined for what is none. */
export function toStopMessage(value: unknown): StopMessage | undefined {
  const { type, reason } = fieldsOf(value)
  return type === "stop" && typeof reason === "string" ? stopMessage(reason) : undefined
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

/**
 * The address without a slash at its end, if it is one of this machine alone: http, and a number of the loopback. A name
 * would not do, since others decide what it stands for.
 */
export function loopbackUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const isPlain = url.protocol === "http:" && url.username === "" && url.password === ""
  const isWhole = url.pathname === "/" && url.search === "" && url.hash === ""
  return isPlain && isWhole && LOOPBACK.has(url.hostname) ? url.origin : undefined
}

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]"])
