// Attention in blocks of keys, as ranks that share sequences do it one after the other, against attention over whole
// sequences in f64, and against the check of a run.

import { expect, test } from "vitest";
import { type AttentionStepShape, stateColumns } from "../../src/kernels/attention_block.ts";
import { keyValueColumns } from "../../src/kernels/block_shape.ts";
import { positionInSlices, sliceStarts } from "../../src/kernels/slices.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { attend } from "../../src/reference/attend.ts";
import { attendGradients } from "../../src/reference/backward/attention.ts";
import { matrix, type Matrix, rowOf } from "../../src/reference/tensor.ts";
import { checkedRun, type CheckedRun } from "../support/checked_kernel.ts";
import { describeOnAdapter } from "../support/gpu.ts";
import { near } from "../support/near.ts";
import { output } from "../support/run_kernel.ts";
import {
  decode,
  encode,
  randomSource,
  randomTensor,
  tensor,
  tensorBytes,
} from "../support/tensors.ts";
import { outOfTolerance } from "../support/tolerance.ts";

interface Case extends Omit<AttentionStepShape, "queries" | "keys" | "rows" | "columns" | "at"> {
  readonly ranks: number;
  readonly dtype: StorageType;
}

const plain = {
  batch: 1,
  sequence: 12,
  heads: 2,
  kvHeads: 2,
  headDim: 4,
  valueDim: 4,
  causal: true,
  ranks: 2,
  dtype: "f32",
} as const;

// Every pair of ranks is a pipeline of its own, so rules stand together where they can.
const cases: readonly (readonly [string, Case])[] = [
  [
    "a window both ways, capped scores, shared keys, over two blocks of rows",
    { ...plain, sequence: 140, kvHeads: 1, causal: false, window: 30, softcap: 2 },
  ],
  [
    "chunks, slopes and sinks, values of another width, two sequences",
    {
      ...plain,
      batch: 2,
      sequence: 28,
      valueDim: 12,
      chunk: 10,
      alibi: { heads: 6, first: 1 },
      sinks: true,
      dtype: "f16",
    },
  ],
];

/** Of the rank's rows those of whole sequences. */
function rowsOf({ batch, sequence, ranks }: Case, rank: number): number[] {
  const rows = sequence / ranks;
  const starts = sliceStarts(sequence, ranks, rank);
  return Array.from({ length: batch * rows }, (_, row) => {
    return Math.floor(row / rows) * sequence + positionInSlices(rows, starts, row % rows);
  });
}

function taken(of: Matrix, rows: readonly number[]): Matrix {
  const part = matrix(rows.length, of.columns);
  for (const [i, row] of rows.entries()) rowOf(part, i).set(rowOf(of, row));
  return part;
}

function bytesOf({ rows, columns, data }: Matrix, dtype: StorageType): Uint8Array {
  return encode(tensor(rows, columns, data), dtype);
}

function besides(...parts: readonly Matrix[]): Matrix {
  const whole = matrix(
    parts[0]?.rows ?? 0,
    parts.reduce((sum, { columns }) => sum + columns, 0),
  );
  for (let row = 0; row < whole.rows; row++) {
    let at = 0;
    for (const part of parts) {
      rowOf(whole, row).set(rowOf(part, row), at);
      at += part.columns;
    }
  }
  return whole;
}

function drawn(own: Case) {
  const { batch, sequence, heads, kvHeads, headDim, valueDim, dtype } = own;
  const random = randomSource(sequence + headDim);
  const of = (columns: number): Matrix => {
    const rows = batch * sequence;
    return matrix(rows, columns, randomTensor(rows, columns, dtype, random).values);
  };
  return {
    q: of(heads * headDim),
    k: of(kvHeads * headDim),
    v: of(kvHeads * valueDim),
    dy: of(heads * valueDim),
    sinks: randomTensor(1, heads, "f32", random),
  };
}

type Bytes = Uint8Array;

function resultOf(run: CheckedRun, name: string): Bytes {
  return new Uint8Array(output(run.results, name));
}

/** The check of a run accepts all results, and sees one wrong word. */
async function checked(...call: Parameters<typeof checkedRun>): Promise<(name: string) => Bytes> {
  const run = await checkedRun(...call);
  expect(run.worst).toBeLessThan(1);
  for (const name of Object.keys(call[3])) expect(await run.spoilt(name, 0)).toBeGreaterThan(1);
  return (name) => resultOf(run, name);
}

interface Held {
  readonly rank: number;
  /** Its rows of whole sequences. */
  readonly places: readonly number[];
  readonly qkv: Bytes;
  readonly kv: Bytes;
  readonly dy: Bytes;
}

async function heldBy(own: Case, rank: number, inputs: ReturnType<typeof drawn>): Promise<Held> {
  const { kvHeads, heads, headDim, valueDim, dtype } = own;
  const places = rowsOf(own, rank);
  const qkv = bytesOf(besides(taken(inputs.q, places), taken(inputs.k, places)), dtype);
  const shape = {
    rows: places.length,
    kvHeads,
    headDim,
    columns: (heads + kvHeads) * headDim,
    firstKey: heads * headDim,
    values: { dim: valueDim, columns: kvHeads * valueDim, first: 0, step: valueDim },
  };
  const packed = await checked(
    { kernel: "pack_keys_values", shape },
    dtype,
    { k: qkv, v: bytesOf(taken(inputs.v, places), dtype) },
    { kv: tensorBytes(places.length, keyValueColumns(own), dtype) },
  );
  return { rank, places, qkv, kv: packed("kv"), dy: bytesOf(taken(inputs.dy, places), dtype) };
}

/** Of a rank's queries and the keys that it has at a step of the ring. */
function blockAt(own: Case, rank: number, step: number) {
  const { ranks, dtype: _, sinks: __, ...sizes } = own;
  const { sequence, heads, kvHeads, headDim } = own;
  const source = (rank - step + ranks) % ranks;
  return {
    source,
    shape: {
      ...sizes,
      rows: sequence / ranks,
      columns: (heads + kvHeads) * headDim,
      queries: sliceStarts(sequence, ranks, rank),
      keys: sliceStarts(sequence, ranks, source),
    },
  };
}

async function forward(own: Case, all: readonly Held[], { rank, qkv, places }: Held, sinks: Bytes) {
  const { ranks, dtype, heads, valueDim } = own;
  let state: Bytes | undefined;
  for (let step = 0; step < ranks - 1; step++) {
    const { source, shape } = blockAt(own, rank, step);
    const at = step === 0 ? "first" : "between";
    const sunk = own.sinks === true && step === 0;
    const block = await checked(
      { kernel: "attention_block", shape: { ...shape, at, ...(sunk ? { sinks: true } : {}) } },
      dtype,
      { qkv, kv: all[source]!.kv, ...(state && { state }), ...(sunk ? { sinks } : {}) },
      { state: 4 * places.length * stateColumns(own) },
    );
    state = block("state");
  }
  const { source, shape } = blockAt(own, rank, ranks - 1);
  return checked(
    { kernel: "attention_block", shape: { ...shape, at: "last" } },
    dtype,
    { qkv, kv: all[source]!.kv, ...(state && { state }) },
    {
      y: tensorBytes(places.length, heads * valueDim, dtype),
      logarithms: 4 * places.length * heads,
    },
  );
}

/** Gradients of queries, keys and values of each rank, side by side. */
async function backward(own: Case, all: readonly Held[], statistics: readonly Bytes[]) {
  const { ranks, dtype, heads, headDim } = own;
  const keyColumns = keyValueColumns(own);
  const queryColumns = heads * headDim;
  const rows = all[0]!.places.length;
  const dq: Bytes[] = [];
  const ofOwn: Bytes[] = [];
  let sent: Bytes[] = [];
  for (let step = 0; step < ranks; step++) {
    const arrived = [...sent.slice(-1), ...sent.slice(0, -1)];
    sent = [];
    for (const { rank, qkv, dy } of all) {
      const { source, shape } = blockAt(own, rank, step);
      const dkv = step > 1 ? arrived[rank] : undefined;
      const adds = {
        ...(step > 0 ? { addsQueries: true as const } : {}),
        ...(dkv && { addsKeys: true as const }),
      };
      const before = { ...(step > 0 ? { dq: dq[rank]! } : {}), ...(dkv && { dkv }) };
      const found = await checked(
        { kernel: "attention_block_gradient", shape: { ...shape, ...adds } },
        dtype,
        { qkv, kv: all[source]!.kv, dy, statistics: statistics[rank]!, ...before },
        {
          dq: tensorBytes(rows, queryColumns, "f32"),
          dkv: tensorBytes(rows, keyColumns, "f32"),
        },
      );
      dq[rank] = found("dq");
      if (step === 0) ofOwn[rank] = found("dkv");
      else sent[rank] = found("dkv");
    }
  }
  const columns = queryColumns + keyColumns;
  return Promise.all(
    all.map(async ({ rank }) => {
      const packed = await checked(
        {
          kernel: "pack_attention_gradient",
          shape: { rows, queryColumns, keyColumns, first: 0, columns },
        },
        dtype,
        { dq: dq[rank]!, own: ofOwn[rank]!, arrived: sent[(rank + ranks - 1) % ranks]! },
        { y: tensorBytes(rows, columns, dtype) },
      );
      return decode(packed("y").slice().buffer, rows, columns, dtype).values;
    }),
  );
}

describeOnAdapter("attention in blocks of keys", () => {
  test.each(cases)("%s", async (_, own) => {
    const { dtype, heads, valueDim, sequence, ranks } = own;
    const inputs = drawn(own);
    const { q, k, v, dy } = inputs;
    const sinks = own.sinks === true ? inputs.sinks.values : undefined;
    const tolerated = (whole: Matrix, places: readonly number[]) =>
      near(taken(whole, places).data, sequence, dtype === "f16" ? 2 ** 9 : 4);
    const all: Held[] = [];
    for (let rank = 0; rank < ranks; rank++) all.push(await heldBy(own, rank, inputs));
    const y = attend(own, q, k, v, sinks);
    const statistics: Bytes[] = [];
    for (const held of all) {
      const last = await forward(own, all, held, encode(inputs.sinks, "f32").slice());
      const rows = held.places.length;
      const found = decode(last("y").slice().buffer, rows, heads * valueDim, dtype).values;
      expect(outOfTolerance(found, tolerated(y, held.places), dtype)).toEqual([]);
      const ofRows = await checked(
        { kernel: "attention_block_statistics", shape: { rows, heads, valueDim } },
        dtype,
        { logarithms: last("logarithms"), y: last("y"), dy: held.dy },
        { statistics: 8 * rows * heads },
      );
      statistics.push(ofRows("statistics"));
    }
    const { dq, dk, dv } = attendGradients(own, q, k, v, dy, sinks);
    const found = await backward(own, all, statistics);
    for (const [rank, { places }] of all.entries()) {
      const expected = tolerated(besides(dq, dk, dv), places);
      expect(outOfTolerance(found[rank]!, expected, dtype)).toEqual([]);
    }
  });

  test("a block between others, and gradients that are added to", async () => {
    const own = { ...plain, ranks: 3 };
    const [held] = [await heldBy(own, 1, drawn(own))];
    const { qkv, kv, dy } = held;
    const rows = held.places.length;
    const { shape } = blockAt(own, 1, 1);
    const random = randomSource(3);
    const table = (columns: number) => encode(randomTensor(rows, columns, "f32", random), "f32");
    const before = randomTensor(rows, stateColumns(own), "f32", random);
    // Totals are those of a softmax: no less than the largest of its summands.
    for (let at = 0; at < before.values.length; at += 8) before.values[at + 5] = 1.5;
    const block = await checked(
      { kernel: "attention_block", shape: { ...shape, at: "between" } },
      "f32",
      { qkv, kv, state: encode(before, "f32") },
      { state: 4 * rows * stateColumns(own) },
    );
    expect(block("state")).not.toEqual(encode(before, "f32"));
    const statistics = tensor(
      1,
      4 * rows,
      Array.from({ length: 4 * rows }, (_, i) => 3 - (i % 2)),
    );
    await checked(
      {
        kernel: "attention_block_gradient",
        shape: { ...shape, addsQueries: true, addsKeys: true },
      },
      "f32",
      { qkv, kv, dy, statistics: encode(statistics, "f32"), dq: table(8), dkv: table(16) },
      { dq: tensorBytes(rows, 8, "f32"), dkv: tensorBytes(rows, 16, "f32") },
    );
  });
});
