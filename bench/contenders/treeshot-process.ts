import type { Contender } from "../contender.js"
import { treeshot } from "./treeshot.js"

/** What was returned survives the end of the process, as native git's loose objects do by default. */
export const contender: Contender = treeshot({ durability: "process" })
