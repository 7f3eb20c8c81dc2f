// Short commands start fast because they open few files. Files are counted, since times depend on the machine.

import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { shardbench } from "./shardbench.ts";

/** Writes the address of each module that is loaded to stderr. */
const hook = `
import { writeSync } from "node:fs";
export const load = (url, context, next) => {
  writeSync(2, \`loaded \${url}\\n\`);
  return next(url, context);
};`;
function dataUrl(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`;
}
const register = `import { register } from "node:module"; register(${JSON.stringify(dataUrl(hook))});`;

async function modulesOf(...parameters: string[]): Promise<string[]> {
  const { stderr } = await shardbench(parameters, {
    NODE_OPTIONS: `--import=${dataUrl(register)}`,
  });
  return stderr.split("\n").filter((line) => line.startsWith("loaded "));
}

test.each(["check", "claims", "estimate", "describe"])("%s opens few modules", async (command) => {
  const modules = await modulesOf(command, "configs/three-stage-pipeline.json");
  expect(modules.length).toBeGreaterThan(1);
  expect(modules.length).toBeLessThan(120);
});

test("check loads nothing that is installed beside, and none of the library", async () => {
  const modules = await modulesOf("check", "configs/three-stage-pipeline.json");
  const elsewhere = modules.filter((url) => !/dist\/cli\/|node:/.test(url));
  expect(elsewhere).toEqual([]);
});

test("what is bundled keeps its license", async () => {
  const texts = await readFile("dist/cli/LICENSES.txt", "utf8");
  for (const name of ["commander", "yaml", "zod"]) {
    expect(texts).toMatch(new RegExp(`^${name}\n`, "m"));
    expect(texts).toContain((await readFile(`node_modules/${name}/LICENSE`, "utf8")).trim());
  }
});
