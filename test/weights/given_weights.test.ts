// What ranks read of a checkpoint is, for every split and every way to store weights, their part of the whole weight.

import { describe, expect, test } from "vitest";
import {
  type ContentSource,
  rowPlace,
  type SourcedContent,
} from "../../src/program/content_source.ts";
import { contentValues, fillContent, partsOf } from "../../src/program/content_values.ts";
import { lower } from "../../src/program/lower.ts";
import { openCheckpoint } from "../../src/weights/checkpoint.ts";
import { openGiven } from "../../src/weights/given_source.ts";
import { matchWeights } from "../../src/weights/names/match_weights.ts";
import {
  allInOne,
  checkpointOf,
  experts,
  falcon,
  gemma,
  gpt2,
  type Layout,
  llama,
  mixtral,
  neox,
  phi3,
  planOf,
} from "../support/checkpoint_layouts.ts";
import { gated } from "../support/gated_layout.ts";
import { gptj, mpt, opt } from "../support/gpt_layouts.ts";
import { hashedWeights, named, type WholeWeight } from "../support/hashed_weights.ts";

interface Case {
  readonly name: string;
  readonly model: object;
  readonly layout: Layout;
}

const routed = { moe: { experts, topK: 2, ffn: 12 } };
const classic = { norm: "layer", gated: false, kvHeads: 4 };

const cases: Case[] = [
  { name: "Llama", model: {}, layout: llama },
  { name: "Phi-3", model: {}, layout: phi3 },
  { name: "Qwen3-Next", model: { attentionOutputGate: true }, layout: gated },
  { name: "Gemma", model: { unitOffsetNorms: true }, layout: gemma },
  { name: "GPT-2", model: classic, layout: gpt2 },
  { name: "NeoX", model: classic, layout: neox },
  { name: "Falcon", model: { norm: "layer", gated: false }, layout: falcon },
  {
    name: "OPT",
    model: {
      ...classic,
      tiedEmbeddings: true,
      activation: "relu",
      biases: ["qkv", "attention-output", "mlp"],
      positions: { kind: "learned", count: 7, offset: 2 },
    },
    layout: opt,
  },
  {
    name: "GPT-J",
    model: { ...classic, biases: ["mlp", "head"], parallelResidual: "shared-norm" },
    layout: gptj,
  },
  {
    name: "MPT",
    model: { ...classic, tiedEmbeddings: true, normBias: false, positions: { kind: "alibi" } },
    layout: mpt,
  },
  { name: "Mixtral", model: routed, layout: mixtral },
  { name: "Llama 4", model: routed, layout: allInOne("feed_forward", "router", false) },
  {
    name: "gpt-oss",
    model: { ...routed, activation: "clamped-silu" },
    layout: allInOne("mlp", "router", true),
  },
  {
    name: "Qwen3-VL",
    model: { moe: { ...routed.moe, ffn: 8 } },
    layout: allInOne("mlp", "gate", false),
  },
];

const parallels: [string, object, number][] = [
  ["one rank", {}, 1],
  ["two ranks of a tensor group", { tensor: 2 }, 2],
  ["four, with the same keys on two", { tensor: 4 }, 4],
  ["a vocabulary padded to 40", { tensor: 2, vocabularyMultiple: 8 }, 2],
  ["two data replicas", { data: 2 }, 2],
  ["sequence parallelism", { tensor: 2, sequence: true }, 2],
];

const expertParallels: [string, object, number][] = [
  ["experts on three ranks", { data: 3, expert: 3 }, 3],
  ["experts on two of unequal load", { data: 2, expert: 2 }, 2],
];

/** Element by element from whole weights; beyond the model's vocabulary there are zeros. */
function wholeSource(
  weights: ReadonlyMap<string, WholeWeight>,
  of: (value: number, name: string) => number,
): ContentSource {
  return {
    seedOf: () => undefined,
    values(content: SourcedContent, first, rows) {
      const whole = weights.get(content.tensor);
      const [lastRows = 1, lastColumns = 1] = [whole?.shape.at(-2), whole?.shape.at(-1)];
      const columns = content.size.at(-1) ?? 1;
      const column0 = content.offset.at(-1) ?? 0;
      return Float64Array.from({ length: rows * columns }, (_, i) => {
        const [depth, row] = rowPlace(content, first + Math.floor(i / columns));
        const column = column0 + (i % columns);
        if (row >= lastRows || column >= lastColumns) return 0;
        const at = (depth * lastRows + row) * lastColumns + column;
        return of(whole?.values[at] ?? Number.NaN, content.tensor);
      });
    },
  };
}

describe.each(cases)("weights of $name", (one) => {
  const all = "moe" in one.model ? [...parallels, ...expertParallels] : parallels;

  test.each(all)("%s: every buffer of every rank", async (_, parallel, gpus) => {
    const wholes = hashedWeights(lower(planOf(one.model, {}, 1)));
    const plan = planOf(one.model, parallel, gpus);
    const program = lower(plan);
    const checkpoint = await openCheckpoint(await checkpointOf(one.layout, wholes));
    const weights = matchWeights(plan, program, checkpoint);
    expect(weights.unused).toEqual([]);
    const given = openGiven(0, { weights });
    const isGain = (name: string): boolean => one.name === "Gemma" && name.endsWith("/gain");
    const expected = wholeSource(wholes, (value, name) =>
      isGain(name) ? Math.fround(Math.fround(value / 3) + 1) : value,
    );
    const compared = new Set<string>();
    for (const { rank, buffers } of program.ranks) {
      for (const { id, content, role } of buffers) {
        if (content === undefined || role !== "weight") continue;
        for (const dtype of ["f32", "f16"] as const) {
          const found = fillContent(content, given, dtype);
          const wanted = fillContent(content, expected, dtype);
          expect(Buffer.compare(found, wanted), `${id} on rank ${rank} in ${dtype}`).toBe(0);
          for (const part of partsOf(content)) {
            // What the reference and the check take is what the buffer holds.
            const values = contentValues(part, given, dtype);
            expect(values).toEqual(contentValues(part, expected, dtype));
          }
        }
        compared.add(id);
      }
    }
    expect(compared.size).toBeGreaterThan(10);
  });
});

describe("a checkpoint", () => {
  const plan = planOf({}, {}, 1);
  const program = lower(plan);
  const wholes = hashedWeights(program);
  const matched = async (layout: Layout) =>
    matchWeights(plan, program, await openCheckpoint(await checkpointOf(layout, wholes)));

  test.each<[string, object, string, readonly number[], RegExp]>([
    [
      "queries, keys and values of as many heads each",
      { norm: "layer", gated: false },
      "gpt_neox.layers.0.attention.query_key_value.weight",
      [96, 24],
      /the plan has 16 outputs, and 32 of its 96 are such/,
    ],
    [
      "those of other heads",
      { norm: "layer", gated: false },
      "gpt_neox.layers.0.attention.query_key_value.weight",
      [64, 24],
      /it is \[64, 24\], and the plan needs \[96, 24\]/,
    ],
  ])("%s in one tensor are not read askew", async (_, more, name, shape, message) => {
    const grouped = planOf(more, {}, 1);
    const whole = planOf({ ...more, kvHeads: 4 }, {}, 1);
    const layout: Layout = (weight) =>
      neox(weight).map((each) =>
        each.name === name
          ? { name, shape, values: new Float32Array(shape[0]! * shape[1]!) }
          : each,
      );
    const folder = await checkpointOf(layout, hashedWeights(lower(whole)));
    const checkpoint = await openCheckpoint(folder);
    expect(() => matchWeights(grouped, lower(grouped), checkpoint)).toThrow(message);
  });

  test("of experts in one, whose shape does not tell which axis is which, is refused", async () => {
    const square = planOf(routed, {}, 1);
    const layout = allInOne("mlp", "gate", false);
    const folder = await checkpointOf(layout, hashedWeights(lower(square)));
    const checkpoint = await openCheckpoint(folder);
    expect(() => matchWeights(square, lower(square), checkpoint)).toThrow(
      /no weights for .*experts/,
    );
  });

  test("of a tied head that is stored all the same is taken", async () => {
    const tied = planOf({ tiedEmbeddings: true }, {}, 1);
    const folder = await checkpointOf(llama, wholes);
    const { unused } = matchWeights(tied, lower(tied), await openCheckpoint(folder));
    expect(unused).toEqual(["lm_head.weight"]);
  });

  test("of a model that sees, too: what is not of its text is listed", async () => {
    const seen = named("vision_tower.encoder.layers.0.self_attn.q_proj.weight", {
      shape: [1],
      values: Float32Array.of(1),
    });
    expect((await matched((weight) => [...llama(weight), seen])).unused).toEqual([seen.name]);
  });

  test("with more tensors than the plan has: they are listed", async () => {
    const more = named("model.layers.0.self_attn.rotary_emb.inv_freq", {
      shape: [1],
      values: Float32Array.of(1),
    });
    expect((await matched((weight) => [...llama(weight), more])).unused).toEqual([more.name]);
  });

  test.each<[string, Layout, RegExp]>([
    [
      "with norms that the plan lacks",
      (weight) => [
        ...llama(weight),
        {
          name: "model.layers.1.post_feedforward_layernorm.weight",
          shape: [24],
          values: new Float32Array(24),
        },
      ],
      /nothing for "model\.layers\.1\.post_feedforward_layernorm\.weight"/,
    ],
    [
      "with biases that the plan lacks",
      (weight) => [
        ...llama(weight),
        {
          name: "model.layers.0.self_attn.q_proj.bias",
          shape: [32],
          values: new Float32Array(32),
        },
      ],
      /nothing for "model\.layers\.0\.self_attn\.q_proj\.bias"/,
    ],
    [
      "that lacks some",
      (weight) => llama(weight).filter(({ name }) => !/layers\.1\.mlp/.test(name)),
      /no weights for "blocks\/11\.mlp\/up\/weight", .* of the plan/,
    ],
    [
      "of another size",
      (weight) =>
        llama(weight).map((each) =>
          /1\.mlp\.up/.test(each.name) ? { ...each, shape: [24, 20] } : each,
        ),
      /up_proj.weight": it is \[24, 20\], and the plan needs \[20, 24\]/,
    ],
    [
      "of no family",
      () => [{ name: "w", shape: [0], values: new Float32Array() }],
      /none of its tensors/,
    ],
  ])("%s is refused", async (_, layout, message) => {
    await expect(matched(layout)).rejects.toThrow(message);
    await expect(matched(layout)).rejects.toThrow(
      expect.objectContaining({ code: "weights-refused" }),
    );
  });
});
