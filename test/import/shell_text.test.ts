// Shell text as a shell reads it: each case is a script, and what the plan has from it.

import { expect, test } from "vitest";
import { importPlan } from "../../src/plan/import/import_plan.ts";
import type { Source } from "../../src/plan/import/note.ts";
import { billions, codes, configOf, errorsAt, planOf } from "./imported.ts";

function script(text: string, more: Partial<Source> = {}): Source {
  return {
    name: "train.sh",
    text,
    ...more,
  };
}

const small = "--num-layers 8 --hidden-size 64 --num-attention-heads 8 --vocab-size 512";
/** What `pretrain_gpt.py` is started with by a script that ends with it. */
function ranks(text: string, more: Partial<Source> = {}) {
  const { file, diagnostics } = planOf([script(text, more)]);
  const { tensor = 1, pipeline = 1, data = 1 } = file.parallel ?? {};
  return { tensor, pipeline, data, codes: codes(diagnostics) };
}

test.each([
  ["a default", "TP=${TP:-4}", "$TP", 4],
  ["a default of itself in quotes", 'TP=${TP:-"4"}', '"$TP"', 4],
  ["a default where it is used", "", "${TP:-4}", 4],
  ["the last assignment before it is used", "TP=2\nTP=8  # since March", "$TP", 8],
  ["no assignment after it is used", "TP=2", "$TP", 2],
  ["arithmetic", "NODES=2; GPUS=4\nTP=$((NODES * GPUS / 2))", "$TP", 4],
  ["arithmetic with dollars", "A=2; TP=$(($A+$A))", "$TP", 4],
  ["arithmetic in parentheses", "A=1; ((TP = A << 2))", "$TP", 4],
  ["an element of an array", "SIZES=(1 2 4); I=2", "${SIZES[$I]}", 4],
  ["an associative array", "declare -A TPS=([7b]=2 [70b]=8); M=70b", "${TPS[$M]}", 8],
  ["a name of a name", "SIZE=8; NAME=SIZE", "${!NAME}", 8],
  ["a prefix taken away", "NAME=tp-8", "${NAME#tp-}", 8],
  ["a pattern taken away", "NAME=llama-70b-tp8", "${NAME##*tp}", 8],
  ["a replacement", "NAME=8x", "${NAME/x/}", 8],
  ["a variable of a function ends with it", "TP=8; f() { local TP=4; }; f", "$TP", 8],
  ["a declaration in a function, too", "TP=8; f() { declare TP=4 X; }; f", "$TP", 8],
  ["a variable that a function sets stays", "TP=2; f() { local X; TP=8; }; f", "$TP", 8],
  ["a reference sets what it names", "TP=2; f() { local -n r=$1; r=8; }; f TP", "$TP", 8],
  ["what runs beside has a shell of its own", "TP=8; { TP=2; } & wait", "$TP", 8],
  ["let calculates", 'TP=2; let TP=TP*2 "TP *= 2"', "$TP", 8],
  ["print into a variable", "TP=2; printf -v TP %d 8", "$TP", 8],
  ["a name that is made", 'TP=2; N=TP; export "$N=8"', "$TP", 8],
  ["an element taken away", "A=(2 4 8); unset 'A[0]'; B=(${A[@]})", "${B[1]}", 8],
  ["echo in a substitution", "TP=$(echo 8)", "$TP", 8],
  ["echo without a line end", "TP=$(echo -n 8)", "$TP", 8],
  ["a here-document in a substitution", "TP=$(cat <<EOF\n8\nEOF\n)", '"$TP"', 8],
  ["a file that the text has written", "cat > tp.txt <<EOF\n8\nEOF\nTP=$(cat tp.txt)", '"$TP"', 8],
  ["a substitution in arithmetic", "TP=$(( $(echo 4) * 2 ))", "$TP", 8],
  ["a substitution in a substitution", "TP=$(echo $(( 2 ** $(expr 1 + 2) )))", "$TP", 8],
  ["the last part of a path", "M=/models/tp-8; N=$(basename $M)", "${N#tp-}", 8],
  [
    "the last part of a folder that is not known",
    "N=$(basename $HOME/models/tp-8/)",
    "${N#tp-}",
    8,
  ],
  ["the last part without its ending", "N=$(basename conf/8.yaml .yaml)", "$N", 8],
  ["the folder of a path", "N=$(dirname tp/8/run.sh)", "${N#tp/}", 8],
  ["a list in braces", "TPS=(1 {2,4} {6,{7,8}})", "${TPS[5]}", 8],
  ["a range in braces", "TPS=({1..8})", "${TPS[7]}", 8],
  ["braces around a list in braces", "A=({1{7,8}}); B=${A[1]#\\{1}", "${B%\\}}", 8],
  ["a range that falls, in steps", "TPS=(x{9..0..-1})", "${TPS[1]#x}", 8],
  ["a range with zeros", "TPS=({06..10..2})", "${TPS[1]#0}", 8],
  ["a range of letters", "L=({a..h})", "${#L[@]}", 8],
  ["how many there are in a range", "GPUS=({0..7})", "${#GPUS[@]}", 8],
  ["variables in braces", "A=4; B=8; TPS=({$A,$B})", "${TPS[1]}", 8],
  ["a loop over a range", "TP=1; for i in {1..3}; do TP=$((TP*2)); done", "$TP", 8],
  ["braces that are none", "A={1,8}; B=${A#\\{1,}", "${B%\\}}", 8],
  [
    "a regular expression",
    "M=llama-70b\nif [[ $M =~ -[0-9]+b$ ]]; then TP=8; else TP=1; fi",
    "$TP",
    8,
  ],
  [
    "a regular expression that does not match",
    "M=x\n[[ $M =~ ^[[:digit:]]+$ ]] && TP=1 || TP=8",
    "$TP",
    8,
  ],
  [
    "the groups of a regular expression",
    "M=tp8-pp2\n[[ $M =~ tp([0-9]+)-pp([0-9]+) ]]",
    "${BASH_REMATCH[1]}",
    8,
  ],
  ["a quoted regular expression", 'M=a+b\n[[ $M =~ "a+b" ]] && TP=8 || TP=1', "$TP", 8],
  ["expr in a substitution", "A=4; TP=$(expr $A \\* 2)", "$TP", 8],
  ["a function's argument", "run() { TP=$1; }\nrun 8", "$TP", 8],
  ["a decided if", "N=70\nif [ $N == 7 ]; then TP=1; elif [ $N == 70 ]; then TP=8; fi", "$TP", 8],
  ["a decided [[ with a pattern", 'M=llama-70b\n[[ "$M" == *70b ]] && TP=8 || TP=1', "$TP", 8],
  ["a decided case", "M=70b\ncase $M in 7b|8b) TP=1;; 70*) TP=8;; *) exit 1;; esac", "$TP", 8],
  ["a comparison of numbers", "N=3\nif (( N > 2 )); then TP=8; else TP=1; fi", "$TP", 8],
  ["a loop", "TP=1\nfor i in 1 2 3; do TP=$((TP*2)); done", "$TP", 8],
  ["a loop that counts", "TP=1\nfor ((i=0; i<3; i++)); do TP=$((TP*2)); done", "$TP", 8],
  [
    "a loop over arguments that nobody gives",
    'TP=8\nwhile [ $# -gt 0 ]; do case "$1" in --tp) TP=$2; shift 2;; esac; done',
    "$TP",
    8,
  ],
  [
    "a check of arguments that ends the script",
    "if [ $# -lt 1 ]; then echo usage; exit 1; fi\nTP=8",
    "$TP",
    8,
  ],
  ["a variable that is not set is empty", 'if [ -z "$TP" ]; then TP=8; fi', "$TP", 8],
])("%s", (_what, before, use, tensor) => {
  const found = ranks(
    `${before}\ntorchrun --nproc_per_node 8 pretrain_gpt.py ${small} --tensor-model-parallel-size ${use}\nTP=1`,
  );
  expect(found.tensor).toBe(tensor);
});

test.each([
  [
    "quotes keep words together",
    `ARGS=(--data-path "a b" --tensor-model-parallel-size 8)`,
    '"${ARGS[@]}"',
  ],
  ["an unquoted element is split", 'ARGS=("--tensor-model-parallel-size 8")', "${ARGS[@]}"],
  [
    "an array that grows",
    "ARGS=()\nARGS+=(--tensor-model-parallel-size)\nARGS+=(8)",
    '"${ARGS[@]}"',
  ],
  ["a text that grows", 'ARGS="--bf16"\nARGS+=" --tensor-model-parallel-size 8"', "$ARGS"],
  ["lines with backslashes", "", "\\\n  --bf16 \\\n  --tensor-model-parallel-size 8"],
  ["lists within lists", 'A="--tensor-model-parallel-size 8"\nB="$A --bf16"', "$B"],
  [
    "a comment in an array",
    "ARGS=(\n  --bf16  # half\n  --tensor-model-parallel-size 8\n)",
    "${ARGS[@]}",
  ],
  ["an unset variable is nothing", "", "$EXTRA --tensor-model-parallel-size 8"],
])("words: %s", (_what, before, use) => {
  const text = `${before}\ntorchrun --nproc_per_node 8 pretrain_gpt.py ${small} ${use}`;
  expect(ranks(text).tensor).toBe(8);
  expect(ranks(text.replaceAll("\n", "\r\n")).tensor).toBe(8);
});

async function serving(text: string, more: Partial<Source> = {}) {
  const { file, diagnostics } = planOf([await configOf("llama-3-8b"), script(text, more)]);
  const { tensor = 1, pipeline = 1, data = 1 } = file.parallel ?? {};
  const gpus = file.hardware.gpus;
  return { gpus, tensor, pipeline, data, codes: codes(diagnostics) };
}

test.each([
  [
    'docker exec node bash -c "vllm serve m --tensor-parallel-size 8 --pipeline-parallel-size 2"',
    16,
  ],
  [
    "docker run --gpus all -p 8000:8000 --ipc=host vllm/vllm-openai:latest --model m --pipeline-parallel-size 2",
    2,
  ],
  ["docker run --rm -it -v /m:/m -e HF_TOKEN=x --entrypoint vllm img:1 serve m -tp 4", 4],
  ["kubectl exec -it pod-0 -n ml -- vllm serve m -tp 4", 4],
  ["ssh -p 22 node1 'cd /x && vllm serve m -tp 4'", 4],
  ["nohup env A=1 numactl --cpunodebind=0 vllm serve m -tp 4 > log 2>&1 &", 4],
  ["uv run --with vllm vllm serve m -tp 4 | tee log", 4],
  ["python3 -u -m vllm.entrypoints.openai.api_server --model m -tp 4", 4],
  ["$ vllm serve m \\\n>   -tp 4", 4],
  ["```bash\nvllm serve <model> -tp 4\n```", 4],
  ["cat > run.sh <<'EOF'\nvllm serve m -tp 4\nEOF\nbash run.sh", 4],
  ["ssh node1 <<EOF\nvllm serve m -tp 4\nEOF", 4],
  ["if ! command -v vllm; then pip install vllm; fi\nvllm serve m -tp 4", 4],
  ['serve() { vllm serve m "$@"; }\nserve -tp 4', 4],
  ["vllm serve m --tensor-parallel-size 4 --max-num-seqs 8\nvllm bench serve --model m -tp 2", 4],
])("the program behind %s", async (text, gpus) => {
  expect((await serving(text)).gpus).toBe(gpus);
});

test("SGLang is not vLLM: attention is divided, and no GPU is added", async () => {
  const text =
    "python3 -m sglang.launch_server --model-path m --tensor-parallel-size 8 --data-parallel-size 8";
  expect(await serving(text)).toMatchObject({ gpus: 64, tensor: 8, data: 8 });
  const divided = await serving(`${text} --enable-dp-attention`);
  expect(divided).toMatchObject({ gpus: 8, tensor: 1, data: 8 });
});

test("a condition that the text does not decide is not guessed, and --set decides it", async () => {
  const text =
    'TP=2\nif [ "$(nvidia-smi -L | wc -l)" = 8 ]; then\n  TP=8\nfi\nvllm serve m --tensor-parallel-size $TP';
  const sources = [await configOf("llama-3-8b"), script(text)];
  const [found] = errorsAt(sources);
  expect(found).toMatchObject({ code: "variable-not-set", position: { line: 5 } });
  expect(found?.message).toContain("(8 or 2)");
  expect(found?.hint).toContain("--set TP=8");
  expect(await serving(text, { set: new Map([["TP", "8"]]) })).toMatchObject({ gpus: 8 });
});

const sizes = `if [ $MODEL_SIZE == 7 ]; then HIDDEN=4096; LAYERS=32; HEADS=32; FFN=11008
elif [ $MODEL_SIZE == 70 ]; then HIDDEN=8192; LAYERS=80; HEADS=64; FFN=28672
fi
torchrun --nproc_per_node 8 pretrain_gpt.py --num-layers $LAYERS --hidden-size $HIDDEN --swiglu \\
  --ffn-hidden-size $FFN --num-attention-heads $HEADS --vocab-size 32000 --disable-bias-linear \\
  --group-query-attention --num-query-groups 8 --untie-embeddings-and-output-weights`;

test.each([
  ["TP=$(nproc)", "TP"],
  ["TP=$(( $(nvidia-smi -L | wc -l) / 2 ))", "TP"],
  ["TP=$(basename $SIZE)", "SIZE"],
  ["N=8; TP=1\n[[ $MODEL =~ 70b ]] && TP=8", "MODEL"],
  ["N=aaa; TP=1\n[[ $N =~ (a+)+b ]] && TP=8", "TP"],
])("%s is asked for", async (before, variable) => {
  const text = `${before}\nvllm serve m --tensor-parallel-size $TP`;
  const [found] = errorsAt([await configOf("llama-3-8b"), script(text)]);
  expect(found).toMatchObject({ code: "variable-not-set" });
  expect(found?.hint).toContain(`--set ${variable}=`);
});

test("words in braces are words of the program", async () => {
  const text = "vllm serve m --{tensor,pipeline}-parallel-size=2";
  expect(await serving(text)).toMatchObject({ tensor: 2, pipeline: 2 });
});

test("the branch that a variable selects is taken, or the variable is asked for", () => {
  expect(billions(planOf([script(`MODEL_SIZE=70\n${sizes}`)]).plan)).toBeCloseTo(68.98, 1);
  const found = errorsAt([script(sizes)]);
  expect(new Set(codes(found))).toEqual(new Set(["variable-not-set"]));
  expect(found[0]?.hint).toContain("--set MODEL_SIZE=7`");
  expect(found[0]?.hint).toContain("70");
  const { plan } = planOf([script(sizes, { set: new Map([["MODEL_SIZE", "70"]]) })]);
  expect(billions(plan)).toBeCloseTo(68.98, 1);
});

test("flags that only an open condition adds are asked for where they matter, and else listed", () => {
  const text = (flag: string) =>
    `ARGS="--bf16"\nif [ "$MODE" = big ]; then ARGS+=" ${flag}"; fi\ntorchrun --nproc_per_node 8 pretrain_gpt.py ${small} $ARGS`;
  const [found] = errorsAt([script(text("--tensor-model-parallel-size 8"))]);
  expect(found).toMatchObject({ code: "variable-not-set" });
  expect(found?.hint).toContain("--set MODE=big");
  expect(ranks(text("--log-params")).codes).toContain("words-not-known");
});

test("two programs are two layouts: one is chosen by its number", async () => {
  const text = "vllm serve a -tp 2 --port 1 &\nvllm serve b -tp 4 --port 2";
  const [found] = errorsAt([await configOf("llama-3-8b"), script(text)]);
  expect(found).toMatchObject({
    code: "several-commands",
    hint: expect.stringContaining("--command 1"),
  });
  expect(found?.message).toContain("2: vllm b -tp 4");
  expect((await serving(text, { command: 2 })).gpus).toBe(4);
});

test("a program in each branch of an open condition: the condition decides, or the number", async () => {
  const text = "if [ $BIG = yes ]; then vllm serve m -tp 8; else vllm serve m -tp 2; fi";
  const [found] = errorsAt([await configOf("llama-3-8b"), script(text)]);
  expect(found?.hint).toBe(
    "choose one, as in `--command 1`, or decide which is started, as in `--set BIG=yes`",
  );
  expect((await serving(text, { set: new Map([["BIG", "yes"]]) })).gpus).toBe(8);
  const one = "if [ $BIG = yes ]; then vllm serve m -tp 8; fi";
  expect(await serving(one)).toMatchObject({
    gpus: 8,
    codes: expect.arrayContaining(["started-under-condition"]),
  });
});

test("one program on two machines is one layout", async () => {
  const one = (rank: number) =>
    `python -m sglang.launch_server --model-path m --tp 16 --dist-init-addr h:1 --nnodes 2 --node-rank ${rank}`;
  expect((await serving(`# node 0\n${one(0)}\n# node 1\n${one(1)}`)).gpus).toBe(16);
});

test.each([
  [
    "a word too many",
    "vllm serve m -tp 4 8",
    "word-not-understood",
    '"8" after --tensor-parallel-size 4',
  ],
  ["a model twice", "vllm serve m n -tp 4", "word-not-understood", '"n"'],
  ["an en dash", "vllm serve m \u2013tensor-parallel-size 8", "dash-for-hyphen", "hyphen"],
  ["an em dash", "vllm serve m \u2014tp 8", "dash-for-hyphen", "hyphen"],
  [
    "a line that is cut off",
    "vllm serve m \\\n  # eight GPUs\n  --tensor-parallel-size 8",
    "words-without-program",
    "--tensor-parallel-size 8",
  ],
  [
    "a backslash with a blank behind it",
    "vllm serve m \\ \n  --tensor-parallel-size 8",
    "words-without-program",
    "--tensor-parallel-size 8",
  ],
  ["a quote that does not close", 'vllm serve m --tensor-parallel-size "8', "not-shell", ""],
  [
    "a list that no command uses",
    'ARGS="--tensor-parallel-size 8"\nvllm serve m',
    "flags-not-used",
    "--tensor-parallel-size",
  ],
  [
    "a launcher's own options",
    "docker run --gpus all -p 1:1 vllm/vllm-openai:v1 --model m",
    "launcher-options",
    "docker -p",
  ],
])("named: %s", async (_what, text, code, part) => {
  const { diagnostics } = importPlan([await configOf("llama-3-8b"), script(text)]);
  const found = diagnostics.filter((each) => each.code === code);
  expect(found).toHaveLength(1);
  expect(found[0]?.message).toContain(part);
});

test.each([
  ["--group-query-attention 8", "word-not-understood"],
  ["--num-query-groups 8", "flag-without-effect"],
  ["--kv-lora-rank 8", "flag-without-effect"],
  ["--moe-router-topk 2", "flag-without-effect"],
  ["--decoder-last-pipeline-num-layers 1", "flag-without-effect"],
  ["--num-layers-per-virtual-pipeline-stage 1", "flag-without-effect"],
])("Megatron: %s is named", (flag, code) => {
  expect(ranks(`torchrun --nproc_per_node 1 pretrain_gpt.py ${small} ${flag}`).codes).toContain(
    code,
  );
});

test.each(["--hybrid-override-pattern M*M*", "--some-new-attention-norm"])(
  "Megatron: %s makes the model another than the plan's",
  (flag) => {
    expect(ranks(`pretrain_gpt.py ${small} ${flag}`).codes).toContain("model-not-understood");
  },
);

test("Megatron: a softmax with a constant beside its scores is told as what no layer runs", () => {
  const told = ranks(`pretrain_gpt.py ${small} --softmax-type off-by-one`);
  expect(told.codes).toContain("softmax-off-by-one-not-runnable");
});

test("Megatron: a script that builds another model says so", () => {
  expect(ranks(`python pretrain_t5.py ${small}`).codes).toContain("model-not-understood");
  expect(ranks(`python pretrain_gpt.py ${small}`).codes).not.toContain("model-not-understood");
});

test("what matters comes first, and the launcher's options are one line", async () => {
  const { diagnostics } = importPlan([
    await configOf("llama-3-8b"),
    script("docker run -p 1:1 --name x vllm/vllm-openai:v1 --model m --foo 1 --my-parallel-size 2"),
  ]);
  const listed = diagnostics.filter(({ code }) => code === "flag-not-understood");
  expect(listed.map(({ path }) => path)).toEqual([["--my-parallel-size"], ["--foo"]]);
  const launchers = diagnostics.filter(({ code }) => code === "launcher-options");
  expect(launchers.map(({ message }) => message)).toEqual([
    "these options of launchers are not in the plan: docker -p --name",
  ]);
});

function deepSpeedJob(path: string) {
  return `MICRO=2
cat <<EOT > ${path}
{ "train_micro_batch_size_per_gpu": $MICRO, "gradient_accumulation_steps": 4, "bf16": { "enabled": true } }
EOT
torchrun --nproc_per_node 8 train.py --deepspeed ${path}`;
}

test("a config that the script writes is read with it", async () => {
  const config = await configOf("llama-3-8b");
  const { file, diagnostics } = planOf([config, script(deepSpeedJob("ds.json"))]);
  expect(file.workload).toMatchObject({ batch: 64, microBatches: 4 });
  expect(codes(diagnostics)).not.toContain("config-named");
  const elsewhere = "torchrun --nproc_per_node 8 train.py --deepspeed ds.json";
  expect(codes(planOf([config, script(elsewhere)]).diagnostics)).toContain("config-named");
});

test("a variable that a program sets is given by its name", async () => {
  const text = "N=$(nvidia-smi -L | wc -l)\nvllm serve m -tp $N";
  const [found] = errorsAt([await configOf("llama-3-8b"), script(text)]);
  expect(found).toMatchObject({ code: "variable-not-set", position: { line: 2 } });
  expect(found?.hint).toContain("--set N=8");
  expect((await serving(text, { set: new Map([["N", "8"]]) })).gpus).toBe(8);
});

test.each([
  'IFS=, read -ra GPUS <<< "$DEVICES"',
  "GPUS=($(nvidia-smi -L))",
  "mapfile -t GPUS < gpus",
])("how many elements %s gives is not known", async (before) => {
  const text = [before, "N=${#GPUS[@]}", "vllm serve m -tp $N"].join("\n");
  const [found] = errorsAt([await configOf("llama-3-8b"), script(text)]);
  expect(found).toMatchObject({ code: "variable-not-set" });
  expect((await serving(text, { set: new Map([["GPUS", "a b"]]) })).gpus).toBe(2);
});

test.each([
  ["the beginning of a flag", "vllm serve m --tensor-parallel 4"],
  ["a backslash at the end", "vllm serve m \\\n  -tp 4 \\\n"],
])("%s", async (_what, text) => {
  const found = await serving(text);
  expect(found.gpus).toBe(4);
  expect(found.codes).not.toContain("flag-not-understood");
  expect(found.codes).not.toContain("word-not-understood");
});

test("a name with a variable in it is no name, and nothing to ask for", async () => {
  const sources = (text: string) => [script(text)];
  const config = await configOf("llama-3-8b");
  const named = (text: string) =>
    planOf([{ ...config, role: "model" }, ...sources(text)]).plan.name;
  expect(named("vllm serve $HOME/models/llama-x -tp 2")).toBe("llama-x-tp2");
  expect(named("vllm serve $MODEL -tp 2")).toBe("llama-tp2");
});
