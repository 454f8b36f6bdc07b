/** How a sidecar's process talks to its parent, be it Node's `fork` or Electron's `utilityProcess`. */
export interface ParentChannel {
  send(message: object): void
  onMessage(listener: (message: unknown) => void): void
  /** The parent has closed it, or has gone. Electron does not tell. */
  onClose(listener: () => void): void
}

/** What a process may have to talk to its parent. */
export interface ChannelOwner {
  readonly connected?: boolean
  send?(message: object, sent: (error: Error | null) => void): unknown
  on(event: "message", listener: (message: unknown) => void): unknown
  on(event: "disconnect", listener: () => void): unknown
}

/** Electron's `process.parentPort`. Source: https://www.electronjs.org/docs/latest/api/parent-port */
interface ParentPort {
  postMessage(message: unknown): void
  on(event: "message", listener: (event: { readonly data: unknown }) => void): unknown
}

/** The channel of this process; undefined when its parent made none. */
export function parentChannel(owner: ChannelOwner): ParentChannel | undefined {
  const port = "parentPort" in owner ? owner.parentPort : undefined
  if (isPort(port))
    return {
      send: (message) => port.postMessage(message),
      onMessage: (listener) => void port.on("message", ({ data }) => listener(data)),
      onClose: () => {},
    }
  if (owner.send === undefined) return undefined
  return {
    send(message) {
      // Without a callback, a failure would be an error of this process.
      if (owner.connected === true) owner.send?.(message, () => {})
    },
    onMessage: (listener) => void owner.on("message", listener),
    onClose(listener) {
      owner.on("disconnect", listener)
      // It may have been closed before anybody listened.
      if (owner.connected !== true) listener()
    },
  }
}

function isPort(port: unknown): port is ParentPort {
  return typeof port === "object" && port !== null && "postMessage" in port && "on" in port
}
