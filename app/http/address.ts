/** Where the API is, and the token that every request carries. */
export interface Address {
  readonly url: string
  readonly token: string
}

/** Asks the page's own host where the API is by now; undefined while there is none. */
export async function askAddress(place: URL, signal: AbortSignal): Promise<Address | undefined> {
  const response = await fetch(place, { signal, cache: "no-store" })
  if (!response.ok) return undefined
  const { url, token } = (await response.json()) as Partial<Address>
  return typeof url === "string" && typeof token === "string" ? { url, token } : undefined
}
