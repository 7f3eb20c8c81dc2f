import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { definitions } from "../../src/check/definitions.ts";
import { diagnose } from "../../src/check/explain/page.ts";
import { renderExample } from "../../src/check/explain/render_example.ts";
import { assessValue, proposalsFor } from "../../src/check/repair/search.ts";
import { rules } from "../../src/check/rules/all.ts";
import { parsePlan } from "../../src/plan/load.ts";

const byCode = definitions.map((each) => [each.code, each] as const);

test.each(byCode)(
  "%s: the bad example has it, the good one has not",
  (code, { severity, examples: { bad, good, adapter } }) => {
    expect(diagnose(bad, adapter)).toContainEqual(expect.objectContaining({ code, severity }));
    expect(diagnose(good, adapter).map((each) => each.code)).not.toContain(code);
  },
);

test.each(byCode)("%s: a title, and a sentence on what must hold", (_code, { title, requires }) => {
  expect(title).toMatch(/^[A-Z]\S*( \S+)*$/);
  expect(requires).toMatch(/^\S.*\.$/);
});

test("every code is kebab-case, and defined once", () => {
  const codes = definitions.map(({ code }) => code);
  expect(codes.filter((code) => !/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(code))).toEqual([]);
  expect(codes.filter((code, i) => codes.indexOf(code) < i)).toEqual([]);
});

test.each(byCode.filter(([, each]) => "fix" in each))(
  "%s: its fix reads what was found, not the sentences about it",
  (code, { examples: { bad } }) => {
    const { text, file } = renderExample(bad);
    const state = assessValue(parsePlan(text, file).document.value);
    const own = state.errors.filter((each) => each.code === code);
    expect(own).not.toEqual([]);
    for (const { hint: _, ...error } of own) {
      expect(proposalsFor(state, { ...error, message: "" })).toEqual(proposalsFor(state, error));
    }
  },
);

/** Files that name codes which others define, and why. */
const mayName: readonly (readonly [files: RegExp, why: string])[] = [
  [
    /^src\/plan\/(syntax|issues|normalise|stages_explicit|load)\.ts$/,
    "the reading of the file gives the codes of structure, below the folder that defines them",
  ],
  [
    /^src\/plan\/import\//,
    "notes and diagnostics of importers are of other tools' files; some are called like those of plans",
  ],
];

async function sourceFiles(): Promise<string[]> {
  return (await readdir("src", { recursive: true }))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `src/${file.replaceAll("\\", "/")}`);
}

test("a code stands in the file that defines it, and in no other", async () => {
  const codes = new Set(definitions.map(({ code }) => code));
  const named = await Promise.all(
    (await sourceFiles()).map(async (file) => {
      const text = await readFile(file, "utf8");
      const defined = new Set(
        [...text.matchAll(/^ {2}code: "([\w-]+)",$/gm)].map(([, code]) => code),
      );
      const others = [...text.matchAll(/"([\w-]+)"/g)].flatMap(([, word = ""]) =>
        codes.has(word) && !(file.startsWith("src/check/rules/") && defined.has(word))
          ? [`${file}: ${word}`]
          : [],
      );
      return mayName.some(([files]) => files.test(file)) ? [] : others;
    }),
  );
  expect(named.flat()).toEqual([]);
});

test("a rule stands in the folder of its chapter", async () => {
  const files = (await sourceFiles()).filter((file) => file.startsWith("src/check/rules/"));
  const strangers = await Promise.all(
    files.map(async (file) => {
      const [, chapter] = /^ {2}chapter: "(\w+)",$/m.exec(await readFile(file, "utf8")) ?? [];
      return chapter === undefined || file.startsWith(`src/check/rules/${chapter}/`) ? [] : [file];
    }),
  );
  expect(strangers.flat()).toEqual([]);
});

/** Words with hyphens in `src/plan` that are no codes of diagnostics. */
const otherWords = new Set(
  `sparse-mixer-routing all-gather all-reduce reduce-scatter all-to-all per-gpu per-group own-norms shared-norm attention-output each-head
  fused-attention communication-overlap activation-checkpointing mixed-precision async-data-pipeline
  gradient-accumulation file-not-readable learned-positions clamped-silu gelu-erf quick-gelu two-best micro-batches
  all-heads other-mixer sparse-attention gated-delta without-positions utf-8 utf-16le utf-16be post-norms redundant-experts
  bf16-as-f16 cross-entropy squared-error`.split(/\s+/),
);

test("every code that the reading of a plan can give is defined, and no other without a question", async () => {
  const files = (await sourceFiles()).filter((file) => /^src\/plan\/(?!import\/)/.test(file));
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  const words = texts.flatMap((text) =>
    [...text.matchAll(/"([a-z][a-z0-9]*(?:-[a-z0-9]+)+)"/g)].map(([, word = ""]) => word),
  );
  const given = [...new Set(words)].filter((word) => !otherWords.has(word));
  const unasked = rules.filter(
    ({ ofPlan, ofProgram, ofClaims, ofAdapter }) =>
      ofPlan === undefined &&
      ofProgram === undefined &&
      ofClaims === undefined &&
      ofAdapter === undefined,
  );
  const defined = unasked.flatMap(({ diagnostics }) => diagnostics.map(({ code }) => code));
  expect(defined.toSorted()).toEqual(given.toSorted());
});
