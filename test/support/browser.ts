// A real browser for pages, where the machine has one.

import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

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
  if (browserPath === undefined) throw new Error("there is no browser");
  return chromium.launch({
    executablePath: browserPath,
    // Containers have no user namespaces for its sandbox; the page is our own.
    args: ["--no-sandbox", "--disable-gpu"],
  });
}
