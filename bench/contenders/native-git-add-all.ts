import type { Contender } from "../contender.js"
import { addAll, nativeGit } from "./native-git.js"

/** Native git with one `add --all`: slower where little changed, and faster where much did. */
export const contender: Contender = nativeGit(addAll)
