// The page that runs a plan, in a real browser on its own SwiftShader: numbers, times and the file that it gives.
// Skipped where there is no Chromium; SHARDBENCH_CHROMIUM names one.

import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shardbench } from "../cli/shardbench.ts";
import { browserPath, openFile, openWebGpuBrowser, seriousFaults } from "../support/browser.ts";

const plan = "configs/smoke/moe-ep2.yaml";

describe.skipIf(browserPath === undefined)("the page of a plan in Chromium", () => {
  let browser: Browser;
  let folder = "";
  let file = "";
  beforeAll(async () => {
    browser = await openWebGpuBrowser();
    folder = await mkdtemp(join(tmpdir(), "shardbench-page-"));
    file = join(folder, "page.html");
    await shardbench(["page", plan, "-o", file]);
  }, 300_000);
  afterAll(() => browser.close());

  /** What it says in the end. */
  async function started(page: Page): Promise<string | null> {
    await page.getByRole("button").click();
    await page.locator("#start:not([disabled])").waitFor({ timeout: 240_000 });
    return page.locator("#status").textContent();
  }

  test("is right, says no error, asks for nothing, and gives times that commands take", async () => {
    const { page, faults } = await openFile(browser, file, 1280, "light");
    expect(await started(page)).toBe("Done.");
    const text = (await page.locator("#results").textContent()) ?? "";
    expect(text).toContain("The numbers are right on");
    expect(text).toMatch(
      /values also agree with the f64 reference as it was when the page was made/,
    );
    expect(text).toMatch(/route_top_k/);
    expect(await seriousFaults(page)).toEqual([]);
    const saving = page.waitForEvent("download");
    await page.getByRole("link", { name: "Save the times" }).click();
    const times = join(folder, "times.json");
    await (await saving).saveAs(times);
    expect(faults.filter((fault) => !fault.startsWith("request blob:"))).toEqual([]);
    const link = ["--link-bandwidth", "10GB/s"];
    const projected = await shardbench(["simulate", plan, "--result", times, ...link, "--json"]);
    expect(projected).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(projected.stdout)).toMatchObject({
      provenance: "projected",
      stepMs: { value: expect.any(Number), samples: 5 },
    });
    expect((await shardbench(["estimate", plan, "--result", times])).stdout).toContain(
      `as calibrated in ${times}`,
    );
    const without = await shardbench(["simulate", plan, "--result", times]);
    expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining("--link-bandwidth") });
    const edited = join(folder, "edited.json");
    await writeFile(edited, (await readFile(times, "utf8")).replace('"uses": ', '"uses": 1'));
    const refused = await shardbench(["simulate", plan, "--result", edited, ...link]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("edited") });
    const other = await shardbench([
      "simulate",
      "configs/smoke/dense-tp2.yaml",
      "--result",
      times,
      ...link,
    ]);
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining("other work") });
    await page.context().close();
  }, 300_000);

  test.each([
    ["a shader that adds wrong", /sum \+= /g, "sum -= ", "The numbers are wrong"],
    ["a reference of another plan", /"scale":[\d.]+/, '"scale":1e-9', "against the reference"],
  ])(
    "finds %s",
    async (_, right, wrong, said) => {
      const text = await readFile(file, "utf8");
      const other = join(folder, "wrong.html");
      const changed = text.replace(right, wrong);
      expect(changed).not.toBe(text);
      await writeFile(other, changed);
      const { page } = await openFile(browser, other, 1280, "light");
      expect(await started(page)).toContain(said);
      expect(await page.locator("#results").textContent()).toBe("");
      await page.context().close();
    },
    300_000,
  );

  test("fits a phone in the dark before it has run", async () => {
    const { page, faults } = await openFile(browser, file, 390, "dark");
    const wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(wider).toBeLessThanOrEqual(0);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});

test.runIf(browserPath === undefined)("SKIPPED: no Chromium here runs the page", () => {
  expect(browserPath).toBeUndefined();
});
