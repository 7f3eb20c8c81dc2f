// Scripts that launch programs, changed at random, and how importing them ends.

import type { RandomSource } from "../../src/seeded_random.ts";
import { importPlan } from "../../src/plan/import/import_plan.ts";
import type { Source } from "../../src/plan/import/note.ts";
import { parsePlan } from "../../src/plan/load.ts";
import { countParameters } from "../../src/plan/parameters.ts";
import { belowOf } from "./mutate.ts";
import type { End } from "./read_mutated.ts";

export const scripts: readonly string[] = [
  'docker exec node bash -c "vllm serve m --tensor-parallel-size 8 --pipeline-parallel-size 2"',
  'TP=${TP:-4}\nif [ "$SIZE" = 70b ]; then TP=8; elif [[ $SIZE == 7* ]]; then TP=1; else exit 1; fi\ncase $M in a|b) PP=2;; *) PP=1;; esac\nvllm serve m -tp $TP -pp $((PP * 2)) $EXTRA',
  'A=(--num-layers 8 --hidden-size 64 --num-attention-heads 8 "--vocab-size 512")\nA+=(--bf16)\nfor i in 1 2 3; do TP=$i; done\nrun() { torchrun --nproc_per_node ${N:-8} pretrain_gpt.py "$@" --tensor-model-parallel-size $1; }\nrun 2 ${A[@]}',
  "#SBATCH --nodes=4 --gres=gpu:8\nsrun --ntasks-per-node=8 -u bash -c 'python -u pretrain_gpt.py --num-layers 8 --hidden-size 64 --num-attention-heads 8' > log 2>&1 &\nwait",
  'cat > x.sh <<EOF\nmpirun -np 8 --host a:4,b:4 trtllm-llmapi-launch trtllm-serve m --tp_size 8\nEOF\nwhile getopts "t:" o; do case $o in t) T=$OPTARG;; esac; done\nbash x.sh; echo `date` $(nproc)',
  "services:\n  s:\n    image: vllm/vllm-openai:v1\n    command: --model m -tp ${TP:-4}\n    environment: [A=b]\n",
  "python3 -m sglang.launch_server --model-path m --tp 16 --dp 16 --enable-dp-attention --nnodes 2\nkubectl exec p -- accelerate launch --num_processes 8 t.py",
];
const syntax: readonly string[] = [
  ..."\" ' ` $ ${ } $( ) (( )) [[ ]] [ ] ; ;; && || | & < > <<EOF <<< \\ # if fi then do done { * ? ! = += =( -- -".split(
    " ",
  ),
  ..."${A[@]} ${!A} ${A:- ${A//a/b} ${#A} $@ A=$A$A exec eval env torchrun --- \u2013 \u0000 \uE000 \n".split(
    " ",
  ),
  "\n",
  "\r\n",
  "while true; do ",
  "for ((;;)); do ",
  "f() { f; }; f\n",
  "case x in ",
  "bash -c ",
  "A+=($A $A)\n",
];

/** One to six changes: syntax of the shell or any characters are put in, and what follows is repeated. */
export function mutatedScript(script: string, random: RandomSource): string {
  const below = belowOf(random);
  const character = (): string => String.fromCharCode(below(below(4) === 0 ? 0x10000 : 0x80));
  let text = script;
  const changes = 1 + below(6);
  for (let change = 0; change < changes; change += 1) {
    const at = below(text.length + 1);
    const put =
      below(2) === 0
        ? (syntax[below(syntax.length)] ?? "")
        : Array.from({ length: below(4) }, character).join("");
    const repeated = text.slice(at, at + below(13)).repeat(below(41));
    text = text.slice(0, at) + put + repeated + text.slice(at);
  }
  return text;
}

/** Imports sources: a plan that loads and has parameters, or errors. */
export function importMutated(sources: readonly Source[]): End {
  try {
    const { file, text, diagnostics } = importPlan(sources);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    if (file !== undefined && errors.length > 0) return { fault: "a plan and errors" };
    if (text === undefined) {
      return errors.length > 0
        ? { refusal: errors.map(({ code }) => code).join(", ") }
        : { fault: "no plan and no error" };
    }
    const { plan, diagnostics: ofForm } = parsePlan(text, "plan.json");
    if (ofForm.length > 0)
      return { fault: `what was imported does not load: ${JSON.stringify(ofForm)}` };
    if (plan?.model !== undefined && !(countParameters(plan.model).total > 0)) {
      return { fault: "a model without parameters" };
    }
    return {};
  } catch (error) {
    return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
