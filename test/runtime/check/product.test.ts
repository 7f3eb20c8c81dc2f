import { describe, expect, test } from "vitest";
import type { Activation } from "../../../src/kernels/activation.ts";
import { toHalf } from "../../../src/kernels/half.ts";
import { rowPitch } from "../../../src/kernels/storage.ts";
import { thorough } from "../../../src/runtime/check/effort.ts";
import { checkProduct, type ProductInstruction } from "../../../src/runtime/check/product.ts";
import { type CheckView, operandsOf } from "../../../src/runtime/check/view.ts";
import { roundToHalf } from "../../../src/program/content_values.ts";
import { originOf } from "../../collectives/small_programs.ts";
import { randomSource } from "../../support/tensors.ts";

type Matrix = number[][];

const random = randomSource(3);
function randomMatrix(rows: number, columns: number): Matrix {
  return Array.from({ length: rows }, () =>
    Array.from({ length: columns }, () => 2 * random() - 1),
  );
}

function product(x: Matrix, w: Matrix): Matrix {
  return x.map((row) =>
    (w[0] ?? []).map((_, n) => row.reduce((sum, v, k) => sum + v * (w[k]?.[n] ?? 0), 0)),
  );
}

function padded(matrix: Matrix): number[] {
  return matrix.flatMap((row) => [
    ...row,
    ...Array.from({ length: rowPitch(row.length) - row.length }, () => 0),
  ]);
}

function f32(matrix: Matrix) {
  return new Uint8Array(Float32Array.from(padded(matrix)).buffer);
}
function f16(matrix: Matrix) {
  return new Uint8Array(Uint16Array.from(padded(matrix), toHalf).buffer);
}

const [m, n, k] = [7, 5, 9];

function matmul(activation: Activation = "none"): ProductInstruction {
  return {
    op: "kernel",
    origin: originOf("test/0.linear"),
    dtype: "f32",
    kernel: "matmul",
    shape: { m, n, k, activation },
    buffers: ["x", "w", "y"],
  };
}

/**
 * @param plain what the product gives when it is computed again without its activation
 * @param earlier what buffers held before the instruction
 */
async function check(
  instruction: ProductInstruction,
  buffers: Record<string, Uint8Array<ArrayBuffer>>,
  plain?: Uint8Array<ArrayBuffer>,
  pause: () => Promise<void> = async () => {},
  earlier: Record<string, Uint8Array<ArrayBuffer>> = {},
) {
  const bytesOf = (id: string): number => buffers[id]?.length ?? 0;
  const view: CheckView = {
    rank: 0,
    bytesOf,
    dtypeOf: () => instruction.dtype,
    async read(id, ranges) {
      const own = buffers[id] ?? new Uint8Array();
      // Past the end there is nothing.
      const parts = ranges.map(({ offset, bytes }) => own.slice(offset, offset + bytes));
      return new Uint8Array(Buffer.concat(parts)).slice();
    },
    compute: async () => plain,
    before: (id) => earlier[id],
    pause,
    random,
    effort: thorough,
  };
  const { deviation, ...rest } = await checkProduct(
    instruction,
    operandsOf(instruction, view),
    view,
    new Map(),
  );
  return { ...rest, worst: deviation.worst };
}

describe("a product", () => {
  const x = randomMatrix(m, k);
  const w = randomMatrix(k, n);
  const y = product(x, w);
  const changed = (by: number): Matrix =>
    y.map((row, i) => row.map((value, j) => (i === 6 && j === 4 ? value + by : value)));

  test("that is right leaves rounding only", async () => {
    const report = await check(matmul(), { x: f32(x), w: f32(w), y: f32(y) });
    expect(report).toMatchObject({ checked: m, total: m });
    expect(report.worst).toBeLessThan(1);
    expect(report.worst).toBeGreaterThan(0);
  });

  test("in halves leaves the rounding of halves", async () => {
    const halves = { ...matmul(), dtype: "f16" } as const;
    const rounded = (matrix: Matrix): Matrix => matrix.map((row) => row.map(roundToHalf));
    const [a, b] = [rounded(x), rounded(w)];
    const report = await check(halves, { x: f16(a), w: f16(b), y: f16(product(a, b)) });
    expect(report.worst).toBeLessThan(1);
    expect(report.worst).toBeGreaterThan(0.1);
  });

  test.each([0.01, Number.NaN])("with one element off by %f is found", async (by) => {
    const report = await check(matmul(), { x: f32(x), w: f32(w), y: f32(changed(by)) });
    expect(report.worst).toBeGreaterThan(1);
  });

  test("of zeros in place of numbers is found", async () => {
    const zeros = y.map((row) => row.map(() => 0));
    const report = await check(matmul(), { x: f32(x), w: f32(w), y: f32(zeros) });
    expect(report.worst).toBeGreaterThan(100);
  });

  test("that was never written to its end is found", async () => {
    const report = await check(matmul(), { x: f32(x), w: f32(w), y: f32(y.slice(0, 6)) });
    expect(report.worst).toBe(Infinity);
  });

  test("whose activation leaves no memory to compute it without is made again element by element", async () => {
    const report = await check(matmul("relu"), { x: f32(x), w: f32(w), y: f32(y) });
    expect(report).toMatchObject({ checked: m, total: m });
    expect(report.worst).toBeGreaterThan(1);
  });

  describe.each<[Activation, (value: number) => number]>([
    ["relu", (value) => (value > 0 ? value : 0)],
    ["silu", (value) => value / (1 + Math.exp(-value))],
    [
      "gelu",
      (value) => {
        const u = Math.sqrt(2 / Math.PI) * (value + 0.044715 * value * value * value);
        return (value * (1 + Math.tanh(u))) / 2;
      },
    ],
  ])("under %s", (activation, activate) => {
    const activated = (from: Matrix): Matrix => from.map((row) => row.map(activate));
    const given = { x: f32(x), w: f32(w) };

    test("that is right leaves rounding only", async () => {
      const report = await check(matmul(activation), { ...given, y: f32(activated(y)) }, f32(y));
      expect(report).toMatchObject({ checked: m, total: m });
      expect(report.worst).toBeLessThan(1);
    });

    test("whose product is wrong is found", async () => {
      const wrong = changed(0.5);
      const buffers = { ...given, y: f32(activated(wrong)) };
      const report = await check(matmul(activation), buffers, f32(wrong));
      expect(report.worst).toBeGreaterThan(1);
    });

    test("whose activation was left out is found", async () => {
      const report = await check(matmul(activation), { ...given, y: f32(y) }, f32(y));
      expect(report.worst).toBeGreaterThan(1);
    });

    test("whose activation was never written to its end is found", async () => {
      const short = f32(activated(y).slice(0, 6));
      const report = await check(matmul(activation), { ...given, y: short }, f32(y));
      expect(report.worst).toBe(Infinity);
    });
  });
});

test.each(["f32", "f16"] as const)("a large product in %s lets others in", async (dtype) => {
  const size = 2048;
  const zeros = new Uint8Array(size * size * (dtype === "f16" ? 2 : 4));
  const large: ProductInstruction = {
    ...matmul(),
    kernel: "matmul",
    dtype,
    shape: { m: size, n: size, k: size, activation: "none" },
  };
  let pauses = 0;
  const report = await check(large, { x: zeros, w: zeros, y: zeros }, undefined, async () => {
    pauses += 1;
  });
  expect(report.worst).toBe(0);
  expect(pauses).toBeGreaterThanOrEqual(4);
});

describe("a product that is finished", () => {
  const [x, w] = [randomMatrix(m, k), randomMatrix(k, n)];
  const [gate, residual, bias] = [randomMatrix(m, n), randomMatrix(m, n), randomMatrix(1, n)];
  const plain = product(x, w);
  const y = plain.map((row, i) =>
    row.map((v, j) => {
      const biased = 0.5 * v + (bias[0]?.[j] ?? 0);
      return (biased / (1 + Math.exp(-biased))) * (gate[i]?.[j] ?? 0) + (residual[i]?.[j] ?? 0);
    }),
  );
  const instruction: ProductInstruction = {
    ...matmul(),
    kernel: "matmul",
    shape: { m, n, k, activation: "silu", scale: 0.5, bias: true, gate: true, residual: true },
    buffers: ["x", "w", "bias", "gate", "residual", "y"],
  };
  const buffers = { x: f32(x), w: f32(w), bias: f32(bias), y: f32(y) };

  test("by a scale, a bias, a gate and a residual is held against them", async () => {
    const tables = { gate: f32(gate), residual: f32(residual) };
    const report = await check(instruction, { ...buffers, ...tables }, f32(plain));
    expect(report).toMatchObject({ checked: m, total: m });
    expect(report.worst).toBeLessThan(1);
  });

  test("by another gate than its own is found", async () => {
    const tables = { gate: f32(residual), residual: f32(gate) };
    const report = await check(instruction, { ...buffers, ...tables }, f32(plain));
    expect(report.worst).toBeGreaterThan(1);
  });
});

test.each(["x", "w"] as const)("a product whose %s lies transposed is checked", async (side) => {
  const [x, w] = [randomMatrix(m, k), randomMatrix(k, n)];
  const transpose = (matrix: Matrix): Matrix =>
    (matrix[0] ?? []).map((_, j) => matrix.map((row) => row[j] ?? 0));
  const instruction: ProductInstruction = {
    ...matmul(),
    kernel: "matmul",
    shape: { m, n, k, activation: "none", transposed: side },
  };
  const buffers = {
    x: f32(side === "x" ? transpose(x) : x),
    w: f32(side === "w" ? transpose(w) : w),
  };
  const report = await check(instruction, { ...buffers, y: f32(product(x, w)) });
  expect(report.worst).toBeLessThan(1);
});

describe("products of experts", () => {
  const grouped: ProductInstruction = {
    op: "kernel",
    origin: originOf("test/0.moe"),
    dtype: "f32",
    kernel: "grouped_matmul",
    shape: { experts: 3, rows: 8, expectedRows: 6, n, k, activation: "none" },
    buffers: ["x", "w", "offsets", "y"],
  };
  const offsets = new Uint8Array(Uint32Array.of(0, 2, 2, 7).buffer);
  const weights = [0, 1, 2].map(() => randomMatrix(k, n));
  const x = randomMatrix(8, k);
  const expertOf = [0, 0, 2, 2, 2, 2, 2];
  const y = [
    ...expertOf.flatMap((e, row) => product([x[row] ?? []], weights[e] ?? [])),
    // Room that nobody uses may hold anything.
    [9, 9, 9, 9, 9],
  ];
  const buffers = { x: f32(x), w: f32(weights.flat()), offsets };

  test("are each held against the weights of their expert", async () => {
    const report = await check(grouped, { ...buffers, y: f32(y) });
    expect(report.worst).toBeLessThan(1);
  });

  test("with the rows of two experts exchanged are found", async () => {
    const report = await check(grouped, { ...buffers, y: f32([...y.slice(2), ...y.slice(0, 2)]) });
    expect(report.worst).toBeGreaterThan(1);
  });
});

describe("a gradient of weights", () => {
  const [x, dy, before] = [randomMatrix(k, m), randomMatrix(k, n), randomMatrix(m, n)];
  const transposed = (x[0] ?? []).map((_, j) => x.map((row) => row[j] ?? 0));
  const gradient = product(transposed, dy);
  const sum = gradient.map((row, i) => row.map((v, j) => v + (before[i]?.[j] ?? 0)));
  const added: ProductInstruction = {
    ...matmul(),
    kernel: "matmul",
    shape: { m, n, k, activation: "none", transposed: "x", result: "f32-sum" },
  };
  const given = { x: f32(x), w: f32(dy) };

  test("that is added to what was there leaves rounding only", async () => {
    const held = { y: f32(before) };
    const report = await check(added, { ...given, y: f32(sum) }, undefined, undefined, held);
    expect(report.worst).toBeLessThan(1);
    expect(report.worst).toBeGreaterThan(0);
  });

  test("that was written over what was there is found", async () => {
    const held = { y: f32(before) };
    const report = await check(added, { ...given, y: f32(gradient) }, undefined, undefined, held);
    expect(report.worst).toBeGreaterThan(1);
  });
});
