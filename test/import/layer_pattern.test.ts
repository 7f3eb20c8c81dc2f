// Which layers of a Megatron-LM list have experts, windows or no positions.

import { expect, test } from "vitest";
import { patternOf } from "../../src/plan/import/layer_pattern.ts";
import { errorsAt, planOf } from "./imported.ts";

const model = "--num-layers 4 --hidden-size 64 --num-attention-heads 4 --vocab-size 512";

function modelOf(flags: string) {
  return planOf([{ name: "train.sh", text: `pretrain_gpt.py ${model} ${flags}` }]);
}

test.each([
  ["[0,1]", [0, 1]],
  ["[0]+[1]*3", [0, 1, 1, 1]],
  ["([0]+[1]*3)", [0, 1, 1, 1]],
  ["([0]+[1])*2", [0, 1, 0, 1]],
  ["(([0]*1+[1]*1)*2)", [0, 1, 0, 1]],
  ["2*[0] + 1*([1,] + [0])*1", [0, 0, 1, 0]],
  ["[0,1", undefined],
  ["[0][1]", undefined],
  ["[0]*[1]", undefined],
  ["layers", undefined],
  ["(".repeat(5000), undefined],
])("%s is read as Python does", (text, expected) => {
  expect(patternOf(text)).toEqual(expected);
});

test.each([
  ["2", [1, 3]],
  ["([1]+[0])*2", [1, 3]],
  ["[0]+[1]*3", [0]],
])("--moe-layer-freq '%s' leaves layers %j dense", (freq, dense) => {
  const { file } = modelOf(`--num-experts 8 --moe-layer-freq '${freq}'`);
  expect(file.model?.moe?.denseLayers).toEqual(dense);
});

test("a list of a job's file is one, too", () => {
  const text = `trainer: {devices: 1, num_nodes: 1}
model: {num_layers: 4, hidden_size: 64, num_attention_heads: 4, num_moe_experts: 8, moe_layer_freq: [0, 0, 1, 1]}`;
  const { file } = planOf([{ name: "job.yaml", text, kind: "nemo" }]);
  expect(file.model?.moe?.denseLayers).toEqual([0, 1]);
});

test.each([
  ["--num-experts 8 --moe-layer-freq '[0]+[1]*2'", "sizes-contradict"],
  ["--num-experts 8 --moe-layer-freq first", "invalid-value"],
  ["--num-experts 8 --moe-layer-freq 0", "invalid-value"],
  ["--position-embedding-type rope --no-rope-freq '[0,1'", "invalid-value"],
])("%s is refused", (flags, code) => {
  const text = `pretrain_gpt.py ${model} ${flags}`;
  expect(errorsAt([{ name: "train.sh", text }]).map((each) => each.code)).toEqual([code]);
});

test("windows and positions by a list", () => {
  const { file } = modelOf(
    "--window-size '(127, 0)' --window-attn-skip-freq '([1]+[0])*2' --position-embedding-type rope --no-rope-freq '([0]+[1])*2'",
  );
  expect(file.model?.slidingWindow).toEqual({ tokens: 128, layers: [0, 2] });
  expect(file.model?.positions).toMatchObject({ layersWithout: [1, 3] });
});

test.each(["128", "127,127", "-1,5", "wide"])(
  "a window of %s is named as not understood",
  (size) => {
    const { file, diagnostics } = modelOf(`--window-size ${size}`);
    expect(file.model?.slidingWindow).toBeUndefined();
    expect(diagnostics.map((each) => each.code)).toContain("model-not-understood");
  },
);
