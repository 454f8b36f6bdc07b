import type { Contender } from "../contender.js"
import { treeshot } from "./treeshot.js"

/** Read by us, stored by native git. */
export const contender: Contender = treeshot({ durability: "process", backend: "native" })
