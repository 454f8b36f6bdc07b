import { treeshot } from "./treeshot.js"

/** The default: what was returned survives a power cut. */
export const contender = treeshot("power")
