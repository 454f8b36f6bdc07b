import { render } from "preact"
import type { Session } from "./model/session.js"
import "./styles/index.css"
import { App } from "./ui/app.js"
import { SessionContext } from "./ui/session-context.js"

/** Shows a store in the document. */
export function showPage(session: Session): void {
  const place = document.getElementById("page")
  if (place === null) throw new Error("the document has no place for the page")
  render(
    <SessionContext.Provider value={session}>
      <App />
    </SessionContext.Provider>,
    place,
  )
}
