/*
 * How much a request may ask of the server.
 */

/** Of a body. */
export const BODY_BYTES: number = 1 << 20

/** Of a body that carries a plan, or the paths of one. */
export const PLAN_BODY_BYTES: number = 64 << 20

/** Of a request's first line and headers; a URL with many paths is long. */
export const HEADER_BYTES: number = 64 << 10

/** Characters of a path or a glob. */
export const PATH_LENGTH = 32_768

/** Characters of the name of a snapshot. */
export const REV_LENGTH = 1024

/** What may wait for a reader of events before it is given up. */
export const EVENT_BYTES: number = 1 << 20
