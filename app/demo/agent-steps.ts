import type { Project } from "./project.js"

/** A step of the agent: what it says that it does, and what it does. */
export interface AgentStep {
  readonly title: string
  readonly does: (project: Project) => void
}

/** What the agent was told to do: "due dates, please". Not all of it is what one would want. */
export const AGENT_STEPS: readonly AgentStep[] = [
  {
    title: "Add due dates to todos",
    does(project) {
      edit(project, "src/todo.js", "export function add(todos, text) {", "export function add(todos, text, due) {")
      edit(project, "src/todo.js", "{ text, done: false }", "{ text, done: false, ...(due ? { due } : {}) }")
      edit(project, "src/main.js", "const [command, text] =", "const [command, text, due] =")
      edit(project, "src/main.js", "add(todos, text)", "add(todos, text, due)")
    },
  },
  {
    title: "Show the most urgent first",
    does(project) {
      project.write("src/sort.js", SORT)
      edit(project, "src/main.js", 'from "./todo.js"\n', 'from "./todo.js"\nimport { byDue } from "./sort.js"\n')
      edit(project, "src/main.js", "open(todos))", "open(todos).sort(byDue))")
      edit(project, "src/format.js", "${todo.text}`", '${todo.text}${todo.due ? ` (${todo.due})` : ""}`')
    },
  },
  {
    title: "Tidy up",
    does(project) {
      project.write("data/todos.json", undefined)
      project.write("test/todo.test.js", undefined)
      project.write("README.md", "# todo\n")
      edit(project, "package.json", '    "test": "node --test"\n', '    "test": "exit 0"\n')
    },
  },
  {
    title: "Test that urgent todos come first",
    does: (project) => project.write("test/sort.test.js", SORT_TEST),
  },
  {
    title: "Write a changelog",
    does(project) {
      project.write("CHANGELOG.md", CHANGELOG)
      edit(project, "package.json", '"version": "1.0.0"', '"version": "1.1.0"')
    },
  },
]

/** Like an agent, it does not mind when somebody has changed the place meanwhile: then it changes nothing there. */
function edit(project: Project, path: string, from: string, to: string): void {
  const text = project.read(path)
  if (text?.includes(from) === true)
    project.write(
      path,
      text.replace(from, () => to),
    )
}

const SORT = `/** Sorts the todo that is due first to the front; those without a date come last. */
export function byDue(a, b) {
  return (a.due ?? "9999").localeCompare(b.due ?? "9999")
}
`

const SORT_TEST = `import { test } from "node:test"
import { deepEqual } from "node:assert/strict"
import { byDue } from "../src/sort.js"

test("what is due first comes first", () => {
  const sorted = [{ due: "2026-05-01" }, {}, { due: "2026-01-01" }].sort(byDue)
  deepEqual(sorted, [{ due: "2026-01-01" }, { due: "2026-05-01" }, {}])
})
`

const CHANGELOG = `# Changelog

## 1.1.0

- Todos may have a due date.
- The most urgent todo comes first.
`
