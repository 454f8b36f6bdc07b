import type { ExitRecord } from "./exit-record.js"

/** What a supervisor is about. */
export type SidecarState =
  /** Never started. */
  | "idle"
  /** One is on its way, and none is there to work with. */
  | "starting"
  /** There is one to work with. */
  | "ready"
  /** The same one, but it has not answered of late. */
  | "unhealthy"
  /** It ended unasked; the next start waits for its time. */
  | "backoff"
  /** All of them are asked to go. */
  | "stopping"
  /** None is left, as was asked for. */
  | "stopped"
  /** It ended unasked too often. `start()` begins anew. */
  | "failed"

/** The sidecar to work with. */
export interface CurrentSidecar {
  /** Counts the starts of one supervisor, from 1. */
  readonly generation: number
  /** Where it answers, without a slash at the end, such as `http://127.0.0.1:41233`. */
  readonly url: string
  /** What every request to it has to carry, as `Authorization: Bearer <token>`: 64 hex digits. */
  readonly token: string
  readonly pid: number
}

/** A step from one state to another. */
export interface StateChange {
  readonly state: SidecarState
  readonly previous: SidecarState
  readonly at: Date
}

/** A line that a sidecar printed on stderr. */
export interface StderrLine {
  readonly generation: number
  readonly line: string
}

/** What a supervisor tells. */
export interface SidecarEvents {
  readonly state: StateChange
  /** There is another sidecar to work with, or none. */
  readonly current: CurrentSidecar | undefined
  readonly exit: ExitRecord
  readonly stderr: StderrLine
}
