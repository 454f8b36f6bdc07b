/*
 * What the definitions of routes have in common.
 */
import type { OpenAPIHono } from "@hono/zod-openapi"
import { z } from "@hono/zod-openapi"
import type { Context } from "hono"
import type { SnapshotStore } from "../snapshot-store.js"
import type { EventStream } from "./event-stream.js"

/** What routes are added to, and what they work with. */
export interface Api {
  readonly app: OpenAPIHono
  readonly store: SnapshotStore
  readonly events: EventStream
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal
}

/**
 * Aborts a call that may be given up at any time when nobody waits for its answer any more, or the server stops. Restores
 * never get it: they go on to their end, whoever left.
 */
export function callSignal(context: Context, { stopping }: Api): AbortSignal {
  return AbortSignal.any([context.req.raw.signal, stopping])
}

/** A response with JSON. */
export function inJson<Schema extends z.ZodType>(schema: Schema): JsonResponse<Schema> {
  return { description: "Done", content: { "application/json": { schema } } }
}

interface JsonResponse<Schema> {
  readonly description: string
  readonly content: { readonly "application/json": { readonly schema: Schema } }
}

/** A response with bytes that are no JSON. */
export function asBytes<Type extends string>(type: Type): BytesResponse<Type> {
  const content = { [type]: { schema: z.string().openapi({ format: "binary" }) } } as BytesResponse<Type>["content"]
  return { description: "Done", content }
}

interface BytesResponse<Type extends string> {
  readonly description: string
  readonly content: { readonly [Key in Type]: { readonly schema: z.ZodString } }
}

/** A response without content. */
export const NOTHING = { description: "Done" } as const

/** A request with JSON; none stands for an empty object where it is optional. */
export function withBody<Schema extends z.ZodType>(schema: Schema, presence?: "optional"): JsonRequest<Schema> {
  return { body: { required: presence === undefined, content: { "application/json": { schema } } } }
}

interface JsonRequest<Schema> {
  readonly body: {
    readonly required: boolean
    readonly content: { readonly "application/json": { readonly schema: Schema } }
  }
}
