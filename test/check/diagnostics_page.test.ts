import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { diagnose, diagnosticsPage, explained } from "../../src/check/explain/page.ts";

test.each(explained.map((entry) => [entry.code, entry] as const))(
  "%s: the bad example has it, the good one has not",
  (code, { bad, good, adapter }) => {
    expect(diagnose(bad, adapter).map((each) => each.code)).toContain(code);
    expect(diagnose(good, adapter).map((each) => each.code)).not.toContain(code);
  },
);

/** Words with hyphens in the sources that are no codes. */
const otherWords = new Set(
  `all-gather all-reduce reduce-scatter all-to-all per-gpu per-group own-norms shared-norm attention-output
  fused-attention communication-overlap activation-checkpointing mixed-precision async-data-pipeline
  gradient-accumulation file-not-readable latent-attention logit-softcap mlp-activation parallel-residual
  all-heads linear-attention utf-8 utf-16le utf-16be post-norms qk-norm redundant-experts routing-bias shared-experts sliding-window`.split(
    /\s+/,
  ),
);

test("every code that a source file can emit is explained, each once, and no other", async () => {
  const folders = ["src/plan", "src/check"];
  const files = (
    await Promise.all(
      folders.map(async (folder) =>
        (await readdir(folder, { recursive: true }))
          .filter(
            (file) => file.endsWith(".ts") && !/^(import|repair|explain|aspects)\//.test(file),
          )
          .map((file) => `${folder}/${file}`),
      ),
    )
  ).flat();
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  const words = texts.flatMap((text) =>
    [...text.matchAll(/"([a-z][a-z0-9]*(?:-[a-z0-9]+)+)"/g)].map(([, word = ""]) => word),
  );
  const codes = [...new Set(words)].filter((word) => !otherWords.has(word));
  expect(explained.map(({ code }) => code).toSorted()).toEqual(codes.toSorted());
});

test("docs/diagnostics.md is what the rules say today", async () => {
  expect(await readFile("docs/diagnostics.md", "utf8")).toBe(diagnosticsPage());
});
