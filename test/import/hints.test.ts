// Hints can be followed as they are written: every option that one names is tried, and ends what it is said of.

import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { shardbench } from "../cli/shardbench.ts";

const llama = "test/import/fixtures/llama-3-8b.json";
const small = "--num-layers 8 --hidden-size 64 --num-attention-heads 8 --vocab-size 512";

interface Finding {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly hint?: string;
}

async function findings(args: readonly string[]): Promise<readonly Finding[]> {
  const { stdout, stderr, code } = await shardbench(["import", "--json", ...args]);
  if (code !== 0 && code !== 1) throw new Error(stderr);
  return (JSON.parse(stdout) as { diagnostics: readonly Finding[] }).diagnostics;
}

/** The words of what stands in backticks, as a shell splits them. */
function namedOptions(hint: string): string[][] {
  return [...hint.matchAll(/`([^`]+)`/g)].map(([, command = ""]) =>
    [...command.matchAll(/(?:[^\s']+|'[^']*')+/g)].map(([word]) => word.replaceAll("'", "")),
  );
}

test.each([
  ["a variable that is not set", "vllm serve m -tp $TP", "variable-not-set"],
  [
    "a variable of a launcher",
    `torchrun --nproc_per_node $GPUS pretrain_gpt.py ${small}`,
    "variable-not-set",
  ],
  [
    "a condition on a variable",
    `if [ $SIZE = 8b ]; then TP=2; else TP=4; fi\nvllm serve m -tp $TP`,
    "variable-not-set",
  ],
  [
    "a case of a variable",
    `case $SIZE in 8b) TP=2;; 70b) TP=4;; esac\nvllm serve m -tp $TP`,
    "variable-not-set",
  ],
  [
    "a condition on a program",
    "TP=2\nif nvidia-smi | grep H100; then TP=4; fi\nvllm serve m -tp $TP",
    "variable-not-set",
  ],
  [
    "flags that a condition adds",
    'A=""\nif [ $BIG = 1 ]; then A="$A -tp 2"; fi\nvllm serve m $A',
    "variable-not-set",
  ],
  ["an argument of the script", "vllm serve m -tp $1", "variable-not-set"],
  ["words that are not known", "vllm serve m $EXTRA", "words-not-known"],
  ["two programs", "vllm serve a -tp 2\nvllm serve b -tp 4", "several-commands"],
  [
    "a program that is not known",
    "my-server --tensor-parallel-size 2 --port 1",
    "source-not-recognised",
  ],
  ["a default", "vllm serve m -tp ${TP:-2}", "defaults-taken"],
])("%s", async (_what, text, code) => {
  const folder = await mkdtemp(join(tmpdir(), "shardbench-hints-"));
  const file = join(folder, "serve.sh");
  await writeFile(file, text);
  const given = text.includes("--num-layers") ? [file] : ["--model", llama, "--layout", file];
  const found = (await findings(given)).filter((each) => each.code === code);
  const [hint = ""] = found.map((each) => each.hint ?? "");
  const named = namedOptions(hint);
  expect(named).not.toEqual([]);
  for (const option of named) {
    const after = await findings([...given, ...option]);
    const same = after.filter((each) => each.code === code && each.hint === hint);
    expect(same).toEqual([]);
    expect(after.filter(({ severity }) => severity === "error")).toEqual([]);
  }
});

test("a kind is given to one source, or to all", async () => {
  const folder = await mkdtemp(join(tmpdir(), "shardbench-from-"));
  const file = join(folder, "flags.txt");
  await writeFile(file, "--tensor-parallel-size 2");
  const plain = await shardbench(["import", "--json", "--model", llama, "--layout", file]);
  expect(plain.code).toBe(1);
  for (const from of [
    ["--layout", file, "--from", `sglang=${file}`],
    ["--from", `sglang=${file}`],
  ]) {
    const { code, stdout } = await shardbench(["import", "--json", "--model", llama, ...from]);
    expect([code, JSON.parse(stdout).plan?.hardware]).toEqual([0, { gpus: 2 }]);
  }
  const wrong = await shardbench(["import", "--from", "pytorch=x.sh", llama]);
  expect(wrong.code).toBe(64);
  expect((await shardbench(["import", "--set", "8", llama])).code).toBe(64);
});
