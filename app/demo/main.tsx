/* The page with its store in itself: a small project on memfs, and an agent that works in it. */
import { render } from "preact"
import { inPage } from "../client.js"
import { openSession } from "../model/session.js"
import "../styles/index.css"
import { SessionContext } from "../ui/session-context.js"
import { agent } from "./agent.js"
import "./demo.css"
import { DemoPage } from "./demo-page.js"
import { openProject } from "./project.js"

const project = await openProject()
const session = openSession(project.store, inPage)
const place = document.getElementById("page")
if (place !== null)
  render(
    <SessionContext.Provider value={session}>
      <DemoPage project={project} agent={agent(project, session)} />
    </SessionContext.Provider>,
    place,
  )
