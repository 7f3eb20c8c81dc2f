// Pages name files, types and each other: what they name must be there.

import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { activations } from "../../src/plan/activation.ts";
import { layerSchema } from "../../src/plan/layers/layers.ts";

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  ...(await readdir("docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`),
];

test.each(pages)("%s links to pages that exist", async (page) => {
  const text = await readFile(page, "utf8");
  const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link = ""]) => link);
  expect(links.filter((link) => !existsSync(join(dirname(page), link)))).toEqual([]);
});

test("docs/architecture.md names files and folders that exist", async () => {
  const text = await readFile("docs/architecture.md", "utf8");
  const paths = [...text.matchAll(/`([a-z_]+(?:\/[a-z_]+)*(?:\.ts)?)`/g)].map(
    ([, path = ""]) => path,
  );
  const folders = new Set(await readdir("src"));
  const ours = paths.filter((path) => folders.has(path.split("/")[0] ?? ""));
  expect(ours.length).toBeGreaterThan(20);
  expect(ours.filter((path) => !existsSync(join("src", path)))).toEqual([]);
});

test("docs/plans.md names every activation and every kind of layer", async () => {
  const text = await readFile("docs/plans.md", "utf8");
  const names = [...activations, ...layerSchema.options.map(({ shape }) => shape.op.value)];
  expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

test("docs/terms.md explains each term once, and names types that the source declares", async () => {
  const text = await readFile("docs/terms.md", "utf8");
  const rows = [...text.matchAll(/^\| ([^|]+) \|[^|]+\|([^|]*)\|$/gm)].slice(2);
  const terms = rows.map(([, term]) => term);
  expect(new Set(terms).size).toBe(terms.length);
  const sources = (await readdir("src", { recursive: true })).filter((name) =>
    name.endsWith(".ts"),
  );
  const declared = (
    await Promise.all(sources.map((name) => readFile(join("src", name), "utf8")))
  ).join("\n");
  const types = rows.flatMap(([, , type = ""]) =>
    [...type.matchAll(/`([A-Z]\w+)/g)].map(([, name = ""]) => name),
  );
  expect(types.length).toBeGreaterThan(15);
  expect(
    types.filter((name) => !new RegExp(`(?:interface|type) ${name}\\b`).test(declared)),
  ).toEqual([]);
});
