/*
 * The process in which one contender runs once: node run-contender.js <name> <tree> <scratch>.
 * Prints what was measured as one line of JSON.
 */
import type { Contender } from "./contender.js"

const [name = "", tree = "", scratch = ""] = process.argv.slice(2)
const { contender } = (await import(`./contenders/${name}.js`)) as { readonly contender: Contender }
process.stdout.write(`${JSON.stringify(await contender.run(tree, scratch))}\n`)
