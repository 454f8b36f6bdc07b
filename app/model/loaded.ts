import type { Problem } from "./problem.js"

/** A value that is asked for: on its way, there, or not to be had. */
export type Loaded<Value> =
  | { readonly state: "loading" }
  | { readonly state: "ready"; readonly value: Value }
  | { readonly state: "failed"; readonly problem: Problem }

export const LOADING: Loaded<never> = { state: "loading" }

export function ready<Value>(value: Value): Loaded<Value> {
  return { state: "ready", value }
}

/** The value, or what stands for it until it is there. */
export function valueOr<Value>(loaded: Loaded<Value>, otherwise: Value): Value {
  return loaded.state === "ready" ? loaded.value : otherwise
}
