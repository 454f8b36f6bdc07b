import type { JSX } from "preact"
import { Button } from "./button.js"
import { Icon } from "./icon.js"
import { useSession } from "./session-context.js"

/** Says that the server is gone for as long as it is. */
export function ConnectionBar(): JSX.Element {
  const { connection, connectionState } = useSession()
  return (
    <div role="alert">
      {connectionState.value === "lost" && (
        <div class="connection-bar">
          <Icon name="lost" />
          <span>The server is gone. Trying again …</span>
          <Button label="Try now" onPress={() => connection.retry()} />
        </div>
      )}
    </div>
  )
}
