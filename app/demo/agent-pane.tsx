import type { JSX } from "preact"
import { Button } from "../ui/button.js"
import type { Agent } from "./agent.js"

/** What the agent did and does next. */
export function AgentPane({ agent }: { readonly agent: Agent }): JSX.Element {
  const next = agent.next.value
  return (
    <section class="agent" aria-labelledby="agent-heading">
      <h2 id="agent-heading">The agent</h2>
      <ol class="agent-steps">
        {agent.done.value.map((step) => (
          <li key={step.after}>
            <span>{step.title}</span>
            <button
              type="button"
              class="button bare"
              aria-label={`Take back “${step.title}”`}
              onClick={() => agent.takeBack(step)}
            >
              Take back
            </button>
          </li>
        ))}
        {next !== undefined && (
          <li class="agent-next">
            <span>{next.title}</span>
          </li>
        )}
      </ol>
      {next === undefined ? (
        <p class="hint">The agent is done. Reload the page to start over.</p>
      ) : (
        <Button label="Let the agent do this step" disabled={agent.works.value} onPress={() => void agent.work()} />
      )}
    </section>
  )
}
