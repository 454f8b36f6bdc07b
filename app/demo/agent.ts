import { signal, type ReadonlySignal } from "@preact/signals"
import type { Session } from "../model/session.js"
import { AGENT_STEPS, type AgentStep } from "./agent-steps.js"
import type { Project } from "./project.js"

/** A step that was done, and the snapshots of the project before and after it. */
export interface DoneStep {
  readonly title: string
  readonly before: string
  readonly after: string
}

/** Works in the project step by step, each step a snapshot. */
export interface Agent {
  readonly done: ReadonlySignal<readonly DoneStep[]>
  readonly next: ReadonlySignal<AgentStep | undefined>
  readonly works: ReadonlySignal<boolean>
  work(): Promise<void>
  /** Shows what it takes to take a step back, and nothing that came after it. */
  takeBack(step: DoneStep): void
}

export function agent(project: Project, session: Session): Agent {
  const { store } = project
  const done = signal<readonly DoneStep[]>([])
  const next = signal(AGENT_STEPS[0])
  const works = signal(false)

  async function work(): Promise<void> {
    const step = next.value
    if (step === undefined || works.value) return
    works.value = true
    try {
      // What you edited meanwhile is a snapshot of its own, so that a step is only the agent's.
      const edited = await store.changes("latest")
      if (edited.length > 0) await store.capture({ label: "Your edits" })
      const [before] = await store.list({ limit: 1 })
      step.does(project)
      const number = done.value.length + 1
      const { snapshot } = await store.capture({ label: step.title, metadata: { agent: `step ${number}` } })
      done.value = [...done.value, { title: step.title, before: before?.id ?? "", after: snapshot.id }]
      next.value = AGENT_STEPS[done.value.length]
      session.selection.choose(snapshot.id)
    } catch (error) {
      session.notices.tellProblem(error)
    } finally {
      works.value = false
    }
  }

  return {
    done,
    next,
    works,
    work,
    takeBack({ title, before, after }) {
      const target = { revert: { from: before, to: after } }
      session.restoring.begin({ title: `Take back “${title}”`, target, offersAdded: false })
    },
  }
}
