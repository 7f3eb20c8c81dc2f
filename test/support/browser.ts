// A real browser for pages, where the machine has one.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

const candidates = [
  process.env["SHARDBENCH_CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Undefined where there is none. */
export const browserPath = candidates.find((path) => path !== undefined && existsSync(path));

export function openBrowser(): Promise<Browser> {
  return launch(["--disable-gpu"]);
}

/** One whose WebGPU is on the SwiftShader that it brings. */
export function openWebGpuBrowser(): Promise<Browser> {
  return launch(["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]);
}

function launch(flags: readonly string[]): Promise<Browser> {
  if (browserPath === undefined) throw new Error("there is no browser");
  return chromium.launch({
    executablePath: browserPath,
    // Containers have no user namespaces for its sandbox; the page is our own.
    args: ["--no-sandbox", ...flags],
  });
}

/** A page of a file of ours, what goes wrong in it, and what it asks for. */
export async function openFile(
  browser: Browser,
  file: string,
  width: number,
  colorScheme: "light" | "dark",
): Promise<{ page: Page; faults: string[] }> {
  // The test's own script, which looks at the page, is let in.
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme,
    bypassCSP: true,
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => {
    if (request.url() !== pathToFileURL(file).href) faults.push(`request ${request.url()}`);
  });
  await page.goto(pathToFileURL(file).href);
  return { page, faults };
}

/** What axe-core finds serious or critical. */
export async function seriousFaults(page: Page): Promise<unknown[]> {
  await page.addScriptTag({ content: await readFile("node_modules/axe-core/axe.min.js", "utf8") });
  const found = await page.evaluate<{ impact: string }[]>(
    "axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, first: nodes[0]?.html })))",
  );
  return found.filter(({ impact }) => impact === "serious" || impact === "critical");
}
