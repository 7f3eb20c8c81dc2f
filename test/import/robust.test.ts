import * as fc from "fast-check";
import { expect, test } from "vitest";
import { importPlan } from "../../src/plan/import/import_plan.ts";
import { sourceKinds, type Source } from "../../src/plan/import/note.ts";
import { seededRandom } from "../../src/seeded_random.ts";
import { importMutated, mutatedScript, scripts } from "../support/mutate_script.ts";
import { configOf } from "./imported.ts";

/** A plan that loads, or errors; never an exception. */
function judge(sources: readonly Source[]): "plan" | "errors" {
  const { fault, refusal } = importMutated(sources);
  expect(fault).toBeUndefined();
  return refusal === undefined ? "plan" : "errors";
}

const end = /^(plan|errors)$/;

const kind = fc.constantFrom(...sourceKinds);

test("whatever JSON is given as a config, an import ends in a plan or in errors", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), kind, (value, each) => {
      const source = { name: "config.json", text: JSON.stringify(value), kind: each };
      expect(judge([source])).toMatch(end);
    }),
    { numRuns: 1000 },
  );
});

test("whatever text is given, an import ends in a plan or in errors", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.option(kind, { nil: undefined }),
      (text, each) => {
        const source = { name: "<stdin>", text, ...(each === undefined ? {} : { kind: each }) };
        expect(judge([source])).toMatch(end);
      },
    ),
    { numRuns: 1000 },
  );
});

const bases = await Promise.all(
  ["llama-3-8b", "qwen1.5-moe-a2.7b", "deepseek-v3", "gpt2", "gpt-neox-20b", "gemma-2-9b"].map(
    async (name) => JSON.parse((await configOf(name)).text) as Record<string, unknown>,
  ),
);
const odd = fc.oneof(
  fc.constantFrom<unknown>(null, true, "", "auto", [], {}, -1, 0, 0.5, 1, 3, 1e308, 0x7fffffff),
  fc.jsonValue({ maxDepth: 1 }),
);

test("whatever is written at one key of a real config, an import ends in a plan or in errors", () => {
  const places = bases.flatMap((base) => Object.keys(base).map((key) => ({ base, key })));
  const ends = new Set<string>();
  fc.assert(
    fc.property(fc.constantFrom(...places), odd, ({ base, key }, value) => {
      ends.add(judge([{ name: "config.json", text: JSON.stringify({ ...base, [key]: value }) }]));
    }),
    { numRuns: 2000 },
  );
  expect(ends).toEqual(new Set(["plan", "errors"]));
});

const word = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      "--num-layers",
      "--hidden-size",
      "--num-attention-heads",
      "--num-experts",
      "--swiglu",
      "-tp",
      "-pp",
      "--tensor-model-parallel-size",
      "--pipeline-model-parallel-size",
      "--expert-model-parallel-size",
      "--nproc_per_node",
      "--global-batch-size",
      "--micro-batch-size",
      "--enable-expert-parallel",
      "--moe-layer-freq",
      "--context-parallel-size",
      "--num-layers-per-virtual-pipeline-stage",
      "--decoder-first-pipeline-num-layers",
      "--recompute-granularity",
      "--max-model-len",
      "vllm",
      "serve",
      "TP=4",
      "A=$A",
      "$TP",
      "${A}",
      "(",
      ")",
      "\\",
      "'",
      '"',
      "#",
      "\n",
      "--x=",
      "--=",
      "--",
      "-",
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom("1", "2", "4", "64", "128", "0", "-1", "1e9", "32k", "([0]*99999)"),
  },
  fc.string({ maxLength: 5 }),
);

test("whatever words a command has, an import ends in a plan or in errors", () => {
  const config = { name: "config.json", text: JSON.stringify(bases[0]) };
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 24 }),
      kind,
      fc.boolean(),
      (words, each, withConfig) => {
        const command = { name: "<command>", text: words.join(" "), kind: each };
        expect(judge(withConfig ? [config, command] : [command])).toMatch(end);
      },
    ),
    { numRuns: 2000 },
  );
});

test("a file of fifty megabytes is refused without being parsed", () => {
  const text = `{ "model_type": "llama", "x": "${"y".repeat(5e7)}" }`;
  expect(judge([{ name: "config.json", text, kind: "huggingface" }])).toBe("errors");
  expect(judge([{ name: "c", text: `vllm serve ${"-tp 2 ".repeat(8e6)}`, kind: "vllm" }])).toBe(
    "errors",
  );
});

test("however the text of a script is changed, an import ends in a plan or in errors", () => {
  const config = { name: "config.json", text: JSON.stringify(bases[0]), role: "model" as const };
  const ends = new Set<string>();
  fc.assert(
    fc.property(fc.constantFrom(...scripts), fc.nat(), (script, seed) => {
      const text = mutatedScript(script, seededRandom(seed));
      ends.add(judge([config, { name: "job.sh", text }]));
    }),
    { numRuns: 800 },
  );
  expect(ends).toEqual(new Set(["plan", "errors"]));
});

test.each([
  ["a value that doubles", `A=x\n${"A=$A$A\n".repeat(100)}vllm serve m -tp $A`],
  ["an array that doubles", `A=(x)\n${"A=(${A[@]} ${A[@]})\n".repeat(100)}vllm serve m -tp $A`],
  [
    "loops in loops",
    `${"for ((i=0;i<99;i++)); do ".repeat(5)}true${"; done".repeat(5)}\nvllm serve m`,
  ],
  ["a function of two branches", "f() { if [ $A = 1 ]; then f; else f; fi; }\nf\nvllm serve m"],
])("%s is given up, and said so", (_what, text) => {
  const { diagnostics } = importPlan([{ name: "job.sh", text }]);
  expect(diagnostics.map(({ code }) => code)).toEqual(["script-too-involved"]);
});

test.each([
  ["substitutions", `vllm serve m -tp ${"$(".repeat(20_000)}`],
  ["defaults", `vllm serve m -tp ${"${A:-".repeat(20_000)}`],
  ["brackets", `${"(".repeat(20_000)}vllm serve m`],
  ["braces", `vllm serve m -tp ${"{a,".repeat(20_000)}${"}".repeat(20_000)}`],
  ["conditions", `${"if [ $A = 1 ]; then ".repeat(3000)}vllm serve m${"; fi".repeat(3000)}`],
  ["arithmetic", `vllm serve m -tp $((${"(".repeat(9000)}1${")".repeat(9000)}))`],
  ["lists", `command: ${"[".repeat(20_000)}`],
])("%s nested without end are refused", (_what, text) => {
  const config = { name: "config.json", text: JSON.stringify(bases[0]), role: "model" as const };
  expect(judge([config, { name: "job.sh", text }])).toBe("errors");
});

test("four times as many variables of an image cost about four times as much", () => {
  const costOf = (count: number): number => {
    const text = `FROM vllm/vllm-openai\n${"ENV A=b\n".repeat(count)}CMD ["--model", "m", "-tp", "2"]`;
    const costs = Array.from({ length: 3 }, () => {
      const before = process.cpuUsage();
      expect(judge([{ name: "Dockerfile", text }])).toBe("errors");
      const { user, system } = process.cpuUsage(before);
      return user + system;
    });
    return Math.min(...costs);
  };
  costOf(1000);
  expect(costOf(16_000) / costOf(4000)).toBeLessThan(9);
});

test("an expression that a matcher would try for long is not followed", () => {
  const script = (length: number) =>
    `X=${"a".repeat(length)}\nif [[ $X =~ (a|a)(a|a)(a|a)a*a*a*b ]]; then TP=2; else TP=4; fi\nvllm serve m -tp $TP`;
  const codesOf = (length: number) =>
    importPlan([{ name: "job.sh", text: script(length) }]).diagnostics.map(({ code }) => code);
  expect(codesOf(10)).not.toContain("variable-not-set");
  expect(codesOf(190)).toContain("variable-not-set");
});
