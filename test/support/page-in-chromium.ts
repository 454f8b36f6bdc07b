/*
 * The page in a real Chromium: opened, looked at, and checked for people who hear it or cannot use a mouse.
 */
import { mkdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { chromium, type Browser, type Page } from "playwright"
import { afterAll, beforeAll, onTestFinished } from "vitest"
import type * as Axe from "axe-core"
import { findChromium } from "./chromium.js"

/** The two widths that the page is tried at. */
export const SIZES = [
  { name: "wide", width: 1280, height: 800 },
  { name: "narrow", width: 400, height: 800 },
] as const

/** One of the widths. */
export type Size = (typeof SIZES)[number]

/** A page, and all that it complained of in the console. */
export interface OpenPage {
  readonly page: Page
  readonly complaints: readonly string[]
}

/** So long may anything take on a busy machine. */
export const WAIT_MS = 120_000
const SCREENSHOTS = fileURLToPath(new URL("../app/screenshots/", import.meta.url))
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
const SCHEMES = ["light", "dark"] as const

/** A browser for the tests of a file; gives what opens a page in it. */
export function browserForTests(): (url: string, size: Size) => Promise<OpenPage> {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch(findChromium())
  })
  afterAll(() => browser.close())
  return async (url, { width, height }) => {
    const context = await browser.newContext({ viewport: { width, height }, reducedMotion: "reduce", locale: "en-US" })
    onTestFinished(() => context.close())
    const page = await context.newPage()
    page.setDefaultTimeout(WAIT_MS)
    const complaints: string[] = []
    page.on("pageerror", (error) => complaints.push(String(error)))
    page.on("console", (message) => {
      if (message.type() === "warning" || message.type() === "error") complaints.push(message.text())
    })
    await page.goto(url)
    return { page, complaints }
  }
}

/**
 * Keeps a picture of the page in each scheme in test/app/screenshots, and gives what an accessibility check finds wrong
 * with it.
 */
export async function inspect(page: Page, name: string): Promise<string[]> {
  mkdirSync(SCREENSHOTS, { recursive: true })
  const found: string[] = []
  for (const scheme of SCHEMES) {
    await page.emulateMedia({ colorScheme: scheme })
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-${scheme}.png`) })
    found.push(...(await violations(page)).map((violation) => `${name}, ${scheme}: ${violation}`))
  }
  return found
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  const { violations: found } = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { readonly axe: typeof Axe }
    return axe.run(document, { resultTypes: ["violations"] })
  })
  return found.map(
    ({ id, help, nodes }) =>
      `${id} (${help}): ${nodes.map(({ target, any }) => `${target.join(" ")} ${any.map(({ message }) => message).join("; ")}`).join(" | ")}`,
  )
}
