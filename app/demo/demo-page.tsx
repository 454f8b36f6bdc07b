import type { JSX } from "preact"
import { App } from "../ui/app.js"
import type { Agent } from "./agent.js"
import { AgentPane } from "./agent-pane.js"
import { Editor } from "./editor.js"
import type { Project } from "./project.js"

interface DemoPageProps {
  readonly project: Project
  readonly agent: Agent
}

/** The project and its agent, beside the page that any store has. */
export function DemoPage({ project, agent }: DemoPageProps): JSX.Element {
  return (
    <div class="demo">
      <details class="demo-side" open={WIDE.matches}>
        <summary>The demo’s project and its agent</summary>
        <aside class="demo-pane" aria-label="The demo’s project">
          <p class="demo-intro">
            All of this runs in your browser: the files are in memory, and so are their snapshots. Edit a file, or let
            the agent work, and take any step back.
          </p>
          <AgentPane agent={agent} />
          <Editor project={project} />
        </aside>
      </details>
      <div class="demo-page">
        <App />
      </div>
    </div>
  )
}

const WIDE = matchMedia("(min-width: 1100px)")
