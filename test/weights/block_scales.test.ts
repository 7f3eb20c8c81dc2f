// Weights of eight and of four bits with scales by block, as f32: against decoding by hand.

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fromHalf } from "../../src/kernels/half.ts";
import type { SourcedContent } from "../../src/program/content_source.ts";
import { lower } from "../../src/program/lower.ts";
import { openCheckpoint } from "../../src/weights/checkpoint.ts";
import { createFileWindows } from "../../src/weights/file_windows.ts";
import { openGiven } from "../../src/weights/given_source.ts";
import { matchWeights } from "../../src/weights/names/match_weights.ts";
import { type Recipe, viewOf } from "../../src/weights/names/recipe.ts";
import { readView, type TensorView } from "../../src/weights/tensor_view.ts";
import { experts, planOf } from "../support/checkpoint_layouts.ts";
import { hashedWeights } from "../support/hashed_weights.ts";
import { type RawTensor, writeRaw } from "../support/raw_safetensors.ts";
import { randomSource } from "../support/tensors.ts";

async function folderOf(tensors: readonly RawTensor[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "shardbench-scales-"));
  await writeRaw(join(folder, "model.safetensors"), tensors);
  return folder;
}

const random = randomSource(5);

function bytesOf(count: number, of: () => number): Uint8Array {
  return Uint8Array.from({ length: count }, of);
}

/** Any byte but the two that are no number. */
function finiteE4m3(): number {
  const bits = Math.floor(256 * random());
  return (bits & 0x7f) === 0x7f ? bits ^ 1 : bits;
}

/** Its bits are those of a half, but for the exponent's highest and the last of the mantissa. */
function fromE4m3(bits: number): number {
  return 256 * fromHalf(((bits & 0x80) << 8) | ((bits & 0x7f) << 7));
}

function wholeOf(shape: readonly number[]): SourcedContent {
  const offset = shape.map(() => 0);
  return { kind: "uniform", tensor: "w", center: 0, scale: 1, shape, offset, size: shape };
}

/** @param windowBytes the least that can be mapped makes reading go in pieces */
async function viewIn(
  tensors: readonly RawTensor[],
  weight: { readonly outputs: number; readonly inputs: number; readonly experts?: number },
  recipe: Recipe,
  scalesName: string,
  windowBytes = 4096,
): Promise<{ readonly view: TensorView; readonly files: ReturnType<typeof createFileWindows>[] }> {
  const { files, tensors: found } = await openCheckpoint(await folderOf(tensors));
  const [tensor, scales] = [found.get(recipe.name), found.get(scalesName)];
  if (tensor === undefined) throw new Error("no tensor");
  const view = viewOf("w", weight, recipe, [{ tensor, ...(scales && { scales }) }]);
  return {
    view,
    files: files.map(({ path, bytes }) => createFileWindows(path, bytes, windowBytes)),
  };
}

describe("FP8 with a scale for every 128 by 128", () => {
  const [rows, columns] = [260, 200];
  const bytes = bytesOf(rows * columns, finiteE4m3);
  const scales = Float32Array.from({ length: 3 * 2 }, () => 0.5 + random());
  const weight: RawTensor = { name: "w", type: "F8_E4M3", shape: [rows, columns], bytes };
  const ofScales = (shape: readonly number[]): RawTensor => ({
    name: "w_scale_inv",
    type: "F32",
    shape,
    bytes: new Uint8Array(scales.buffer),
  });
  const sizes = { outputs: rows, inputs: columns };

  test.each([4096, 2 ** 20])("is read as f32, in windows of %d bytes", async (windowBytes) => {
    const stored = [weight, ofScales([3, 2])];
    const { view, files } = await viewIn(stored, sizes, { name: "w" }, "w_scale_inv", windowBytes);
    const found = readView(view, files, wholeOf([columns, rows]), 0, columns);
    const expected = Float64Array.from({ length: rows * columns }, (_, i) => {
      const [column, row] = [Math.floor(i / rows), i % rows];
      const scale = scales[2 * Math.floor(row / 128) + Math.floor(column / 128)] ?? Number.NaN;
      return Math.fround(fromE4m3(bytes[row * columns + column] ?? 0) * scale);
    });
    expect(found).toEqual(expected);
  });

  test.each<[string, readonly RawTensor[], RegExp]>([
    ["without scales", [weight], /its values are F8_E4M3; .* scale for every 128 by 128/],
    ["with those of other blocks", [weight, ofScales([2, 3])], /\[2, 3\], .* needs \[3, 2\]/],
  ])("%s is refused", async (_, stored, message) => {
    await expect(viewIn(stored, sizes, { name: "w" }, "w_scale_inv")).rejects.toThrow(message);
  });
});

/** By their bits, the lower half of a byte first. */
const fourBits = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];

/** [experts, out, in] in runs of 32. */
function inRuns(name: string, count: number, outputs: number, inputs: number) {
  const runs = inputs / 32;
  const bytes = bytesOf(count * outputs * runs * 16, () => Math.floor(256 * random()));
  const exponents = bytesOf(count * outputs * runs, () => 120 + Math.floor(12 * random()));
  const stored: RawTensor[] = [
    { name: `${name}_blocks`, type: "U8", shape: [count, outputs, runs, 16], bytes },
    { name: `${name}_scales`, type: "U8", shape: [count, outputs, runs], bytes: exponents },
  ];
  const at = (expert: number, output: number, input: number): number => {
    const element = (expert * outputs + output) * inputs + input;
    const byte = bytes[element >> 1] ?? 0;
    const value = fourBits[element % 2 === 0 ? byte & 15 : byte >> 4] ?? Number.NaN;
    return value * 2 ** ((exponents[element >> 5] ?? 0) - 127);
  };
  return { stored, at };
}

describe("four bits with a scale for every 32", () => {
  const recipe = { name: "w_blocks", scales: "w_scales" };
  const sizes = { experts: 3, outputs: 6, inputs: 64 };

  test("are read as f32", async () => {
    const { stored, at } = inRuns("w", 3, 6, 64);
    const { view, files } = await viewIn(stored, sizes, recipe, "w_scales");
    const found = readView(view, files, wholeOf([3, 64, 6]), 0, 3 * 64);
    const expected = Float64Array.from({ length: 3 * 64 * 6 }, (_, i) =>
      at(Math.floor(i / 384), i % 6, Math.floor(i / 6) % 64),
    );
    expect(found).toEqual(expected);
  });

  test.each<[string, (stored: readonly RawTensor[]) => readonly RawTensor[], RegExp]>([
    ["without scales", ([blocks]) => [blocks!], /its scales are missing/],
    [
      "in runs of 64",
      ([blocks, scales]) => [{ ...blocks!, shape: [3, 6, 1, 32] }, scales!],
      /it is \[3, 6, 1, 32\], and the plan needs \[3, 6, 2, 16\]/,
    ],
    [
      "of another type",
      ([blocks, scales]) => [blocks!, { ...scales!, type: "I8" }],
      /its values are I8/,
    ],
  ])("%s are refused", async (_, change, message) => {
    const { stored } = inRuns("w", 3, 6, 64);
    await expect(viewIn(change(stored), sizes, recipe, "w_scales")).rejects.toThrow(message);
  });

  test("are gpt-oss' experts, gates and ups turn by turn", async () => {
    const ffn = 64;
    const model = { moe: { experts, topK: 2, ffn }, hidden: 32, activation: "clamped-silu" };
    const plan = planOf(model, {}, 1);
    const program = lower(plan);
    const wholes = [...hashedWeights(program)].map(([name, { shape, values }]) => ({
      name,
      shape,
      values,
    }));
    const layers = [0, 1].map((block) => {
      const own = `model.layers.${block}.mlp.experts`;
      const up = inRuns(`${own}.gate_up_proj`, experts, 2 * ffn, 32);
      const down = inRuns(`${own}.down_proj`, experts, 32, ffn);
      return { up, down };
    });
    const others = otherTensors(wholes);
    const folder = await folderOf([
      ...others,
      ...layers.flatMap(({ up, down }) => [...up.stored, ...down.stored]),
    ]);
    const weights = matchWeights(plan, program, await openCheckpoint(folder));
    expect(weights.unused).toEqual([]);
    const source = openGiven(0, { weights });
    for (const [block, { up, down }] of layers.entries()) {
      const valuesOf = (part: string, shape: readonly number[]) => {
        const content = {
          ...wholeOf(shape),
          tensor: `blocks/${5 + 6 * block}.moe/experts/${part}`,
        };
        return source.values(content, 0, experts * (shape[1] ?? 1));
      };
      const expected = (inputs: number, outputs: number, of: typeof up.at) =>
        Float64Array.from({ length: experts * inputs * outputs }, (_, i) =>
          of(Math.floor(i / (inputs * outputs)), i % outputs, Math.floor(i / outputs) % inputs),
        );
      const wide = [experts, 32, ffn];
      expect(valuesOf("gate/weight", wide)).toEqual(
        expected(32, ffn, (expert, output, input) => up.at(expert, 2 * output, input)),
      );
      expect(valuesOf("up/weight", wide)).toEqual(
        expected(32, ffn, (expert, output, input) => up.at(expert, 2 * output + 1, input)),
      );
      expect(valuesOf("down/weight", [experts, ffn, 32])).toEqual(expected(ffn, 32, down.at));
    }
  });
});

/** All but experts, as Llama names them. */
function otherTensors(
  wholes: readonly { name: string; shape: readonly number[]; values: Float32Array }[],
): RawTensor[] {
  const names: readonly (readonly [RegExp, string])[] = [
    [/^blocks\/0\.embedding\/weight$/, "model.embed_tokens.weight"],
    [/^blocks\/13\.norm\/gain$/, "model.norm.weight"],
    [/^blocks\/14\.linear\/weight$/, "lm_head.weight"],
    [/^blocks\/[17]\.norm\/gain$/, "model.layers.{i}.input_layernorm.weight"],
    [/^blocks\/(4|10)\.norm\/gain$/, "model.layers.{i}.post_attention_layernorm.weight"],
    [/attention\/q\/weight$/, "model.layers.{i}.self_attn.q_proj.weight"],
    [/attention\/k\/weight$/, "model.layers.{i}.self_attn.k_proj.weight"],
    [/attention\/v\/weight$/, "model.layers.{i}.self_attn.v_proj.weight"],
    [/attention\/output\/weight$/, "model.layers.{i}.self_attn.o_proj.weight"],
    [/moe\/router\/weight$/, "model.layers.{i}.mlp.router.weight"],
  ];
  return wholes.flatMap(({ name, shape, values }): RawTensor[] => {
    const to = names.find(([pattern]) => pattern.test(name))?.[1];
    if (to === undefined) return [];
    const index = Number(/^blocks\/(\d+)/.exec(name)?.[1]);
    const isTable = to.includes("embed");
    return [
      {
        name: to.replace("{i}", index < 7 ? "0" : "1"),
        type: "F32",
        shape: isTable ? shape : shape.toReversed(),
        bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      },
    ];
  });
}
