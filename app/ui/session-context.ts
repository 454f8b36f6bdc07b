import { createContext } from "preact"
import { useContext } from "preact/hooks"
import type { Session } from "../model/session.js"

/** Gives the session to the components below. */
export const SessionContext = createContext<Session | undefined>(undefined)

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (session === undefined) throw new Error("a component of the page stands outside of it")
  return session
}
