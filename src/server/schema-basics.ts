/*
 * Schemas that others are made of. A schema's name is its name in the description that the server gives of itself.
 */
import { z } from "@hono/zod-openapi"
import { PATH_LENGTH, REV_LENGTH } from "./limits.js"

export const Text: z.ZodString = z.string()

export const Count: z.ZodNumber = z.int().min(0)

export const Oid: z.ZodString = z.string().openapi({ description: "40 hex digits" })

/** In answers. */
export const Time: z.ZodType<string> = z.string().openapi({ type: "string", format: "date-time" })

export const Rev: z.ZodString = z.string().min(1).max(REV_LENGTH).openapi({
  description: "A snapshot's id, the first 4 or more digits of it, its ref, latest, latest~N, or the oid of a tree",
})

export const Path: z.ZodString = z.string().min(1).max(PATH_LENGTH)

/** A text that stands in the query any number of times. */
export const PathsInQuery: z.ZodType<string[]> = z
  .preprocess((given) => (typeof given === "string" ? [given] : given), z.array(Path))
  .openapi({ type: "array", items: { type: "string", minLength: 1, maxLength: PATH_LENGTH } })

/** A whole number in the query. */
export const CountInQuery: z.ZodType<number> = z
  .string()
  .regex(/^\d{1,9}$/, "It is a whole number, 0 or more")
  .transform(Number)
  .openapi({ type: "integer", minimum: 0 })

/** A point in time in the query. */
export const TimeInQuery: z.ZodType<Date> = z.iso
  .datetime({ offset: true, error: "It is a time such as 2025-11-22T16:59:03Z" })
  .transform((text) => new Date(text))
  .openapi({ type: "string", format: "date-time" })
