import { treeshot } from "./treeshot.js"

/** Read by us, stored by native git. */
export const contender = treeshot("process", "native")
