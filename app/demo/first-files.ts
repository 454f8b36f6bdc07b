/** The demo's project, as it comes. */
export const FIRST_FILES: Readonly<Record<string, string>> = {
  "README.md": `# todo

A list of things to do, for the terminal.

    node src/main.js add "Water the plants"
    node src/main.js list

Todos are kept in data/todos.json.
`,
  "package.json": `{
  "name": "todo",
  "version": "1.0.0",
  "type": "module",
  "scripts": {
    "test": "node --test"
  }
}
`,
  "src/main.js": `import { load, save } from "./store.js"
import { add, open } from "./todo.js"
import { lineOf } from "./format.js"

const [command, text] = process.argv.slice(2)
const todos = await load()

if (command === "add") {
  await save(add(todos, text))
} else if (command === "list") {
  for (const todo of open(todos)) console.log(lineOf(todo))
} else {
  console.log("usage: todo add <text> | todo list")
}
`,
  "src/todo.js": `/** A list with one more todo at its end. */
export function add(todos, text) {
  return [...todos, { text, done: false }]
}

/** The todos that are not done. */
export function open(todos) {
  return todos.filter((todo) => !todo.done)
}

/** A list in which one todo is done. */
export function finish(todos, text) {
  return todos.map((todo) => (todo.text === text ? { ...todo, done: true } : todo))
}
`,
  "src/format.js": `/** A todo on one line. */
export function lineOf(todo) {
  const box = todo.done ? "[x]" : "[ ]"
  return \`\${box} \${todo.text}\`
}
`,
  "src/store.js": `import { readFile, writeFile } from "node:fs/promises"

const FILE = new URL("../data/todos.json", import.meta.url)

export async function load() {
  return JSON.parse(await readFile(FILE, "utf8"))
}

export async function save(todos) {
  await writeFile(FILE, JSON.stringify(todos, null, 2))
}
`,
  "data/todos.json": `[
  { "text": "Water the plants", "done": false },
  { "text": "Call the dentist", "done": true },
  { "text": "Buy a present for Ada", "done": false }
]
`,
  "test/todo.test.js": `import { test } from "node:test"
import { deepEqual } from "node:assert/strict"
import { add, open } from "../src/todo.js"

test("a new todo is open", () => {
  deepEqual(open(add([], "Sleep")), [{ text: "Sleep", done: false }])
})
`,
}
