// The page of a run in a real browser: it asks for nothing, says no error, is accessible, and its timeline moves.
// Skipped where there is no Chromium; SHARDBENCH_CHROMIUM names one.

import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, openBrowser, openFile, seriousFaults } from "../support/browser.ts";
import { pageOf } from "../support/page.ts";

const sizes = [1280, 390].flatMap((width) =>
  (["light", "dark"] as const).map((colorScheme) => ({ width, colorScheme })),
);

describe.skipIf(browserPath === undefined)("in Chromium", () => {
  let browser: Browser;
  let file = "";
  beforeAll(async () => {
    browser = await openBrowser();
    file = join(await mkdtemp(join(tmpdir(), "shardbench-page-")), "report.html");
    await writeFile(file, await pageOf("smoke/moe-ep2.yaml"));
  }, 300_000);
  afterAll(() => browser.close());

  const opened = (width: number, colorScheme: "light" | "dark") =>
    openFile(browser, file, width, colorScheme);

  test.each(sizes)("$width pixels, $colorScheme: whole, still and accessible", async (size) => {
    const { page, faults } = await opened(size.width, size.colorScheme);
    expect(await page.locator("h2").count()).toBe(15);
    for (const heading of await page.locator("h2").all()) {
      expect(await heading.isVisible()).toBe(true);
    }
    const wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(wider).toBeLessThanOrEqual(0);
    // What it looks at depends on colors, and hardly on the width.
    const found = size.width === 1280 ? await seriousFaults(page) : [];
    expect(found).toEqual([]);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("the timeline tells what is pointed at, and zooms by button, key and drag", async () => {
    const { page, faults } = await opened(1280, "light");
    const lanes = page.locator(".lanes");
    await lanes.scrollIntoViewIfNeeded();
    const box = await page.locator(".timeline .u-over").boundingBox();
    if (box === null) throw new Error("the timeline has no size");
    const { x, y, width } = box;
    await page.mouse.move(x + width / 3, y + 8);
    expect(await page.locator(".hover").textContent()).toMatch(
      /^rank 0, compute: kernel .+FLOP, .+B, .+ % of its bound; 1 ms from \d+ ms on$/,
    );
    const range = () =>
      page.evaluate<number>(
        "(({ min, max }) => max - min)(document.querySelector('.timeline').plot.scales.x)",
      );
    const whole = await range();
    await page.getByRole("button", { name: "zoom in" }).click();
    const half = await range();
    expect(half / whole).toBeCloseTo(0.5, 3);
    await lanes.focus();
    await page.keyboard.press("+");
    const quarter = await range();
    expect(quarter / whole).toBeCloseTo(0.25, 3);
    await page.keyboard.press("Escape");
    const again = await range();
    expect(again).toBe(whole);
    await page.mouse.move(x + width / 4, y + 20);
    await page.mouse.down();
    await page.mouse.move(x + width / 2, y + 20, { steps: 4 });
    await page.mouse.up();
    const dragged = await range();
    expect(dragged / whole).toBeCloseTo(0.25, 1);
    await lanes.focus();
    await page.keyboard.press("n");
    expect(await page.locator(".hover").textContent()).toMatch(/^rank \d+, /);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});

test.runIf(browserPath === undefined)("SKIPPED: no Chromium here shows the page", () => {
  expect(browserPath).toBeUndefined();
});
