/* What memfs asks of Node's process. */
export const platform = "linux"
export const env = {}
export const cwd = () => "/"
export const getuid = () => 0
export const getgid = () => 0
export const emitWarning = (message) => console.warn(message)
export const nextTick = (call, ...values) => queueMicrotask(() => call(...values))
