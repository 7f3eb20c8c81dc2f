// Runs a program in f64 on the CPU, all ranks in one thread: tests of the lowering do not need a GPU.
// f32 programs only; buffers are arrays of elements, padded as in memory.

import type { KernelCall } from "../../src/kernels/catalog.ts";
import type { NormShape } from "../../src/kernels/norm.ts";
import { bytesPerElement, rowPitch } from "../../src/kernels/storage.ts";
import { fillContent } from "../../src/program/content_values.ts";
import { hashSource } from "../../src/program/hash_source.ts";
import { reduces } from "../../src/program/exchange/sums.ts";
import { workspaceOf } from "../../src/program/exchange/workspace.ts";
import type { Observation } from "../../src/program/observation.ts";
import type { Collective, Program, RankProgram } from "../../src/program/program.ts";
import { servedBytes, type ServedStep } from "../../src/program/serving/served.ts";
import { startsOf } from "../../src/program/tensor.ts";
import { writtenBuffers } from "../../src/runtime/check/poison.ts";
import { choiceWeights, keysOf, topExperts } from "../../src/reference/routing.ts";
import {
  runAttention,
  runHeadMatmul,
  runMeanSquares,
  runRotary,
  runScores,
  runValues,
} from "./interpret_attention.ts";
import { isBlockCall, runBlocks } from "./interpret_attention_blocks.ts";
import { positionOf } from "../../src/kernels/positions.ts";
import { isBackwardCall, runBackward } from "./interpret_backward.ts";
import { runCacheKernel } from "./interpret_cache.ts";
import { runCausalConv, runGatedDelta } from "./interpret_delta.ts";
import { isLossCall, runLoss } from "./interpret_losses.ts";
import { runTopLogits } from "./interpret_sampling.ts";
import { isUpdateCall, runUpdate } from "./interpret_updates.ts";
import { runProduct } from "./interpret_product.ts";

export interface Observed {
  readonly rank: number;
  readonly layer: string;
  readonly microBatch: number;
  readonly observation: Observation;
  /** As in memory: rows padded to quads, except routes. */
  readonly data: Float64Array;
}

type Message = Float64Array;

/**
 * Throws when the ranks wait for each other for ever.
 *
 * @param stored of each number that is stored. Default: as it is
 */
export function interpret(program: Program, stored: Stored = (value) => value): Observed[] {
  return interpretSteps(program, [undefined], stored)[0] ?? [];
}

type Stored = (value: number) => number;

/**
 * Steps in a row, on memory that stays; of serving those that are given. What each shows.
 *
 * @param onShown called before the next step is asked for
 */
export function interpretSteps(
  program: Program,
  steps: Iterable<ServedStep | undefined>,
  stored: Stored = (value) => value,
  onShown: (observed: readonly Observed[]) => void = () => undefined,
): Observed[][] {
  const memories = program.ranks.map((rank) => memoryOf(program, rank, stored));
  const all: Observed[][] = [];
  for (const step of steps) {
    const mailboxes = new Map<string, Message[]>();
    const observed: Observed[] = [];
    let running = program.ranks.map((rank, i) =>
      runRank(program, rank, memories[i] ?? new Map(), mailboxes, observed, step, stored),
    );
    while (running.length > 0) {
      let progress = 0;
      running = running.filter((rank) => {
        const next = rank.next();
        if (next.done === true || next.value) progress++;
        return next.done !== true;
      });
      if (progress === 0) throw new Error("deadlock: every rank waits");
    }
    for (const [mailbox, messages] of mailboxes) {
      if (messages.length > 0) throw new Error(`nobody took the message in ${mailbox}`);
    }
    all.push(observed);
    onShown(observed);
  }
  return all;
}

type Memory = Map<string, Float64Array>;

function memoryOf(program: Program, { rank, buffers }: RankProgram, stored: Stored): Memory {
  const memory: Memory = new Map();
  for (const buffer of buffers.filter(({ within }) => within === undefined)) {
    const data = new Float64Array(buffer.bytes / bytesPerElement(buffer.dtype));
    if (buffer.content !== undefined) {
      data.set(
        new Float32Array(fillContent(buffer.content, hashSource(program.seed), "f32").buffer).map(
          stored,
        ),
      );
    }
    memory.set(buffer.id, data);
  }
  for (const { id, within, bytes } of buffers) {
    if (within === undefined) continue;
    const first = within.offset / 4;
    const whole = memory.get(within.buffer);
    if (whole === undefined) throw new Error(`rank ${rank} has no buffer ${within.buffer}`);
    memory.set(id, whole.subarray(first, first + bytes / 4));
  }
  return memory;
}

/** Yields true after work, false while it waits. */
function* runRank(
  program: Program,
  { rank, instructions, buffers }: RankProgram,
  memory: Memory,
  mailboxes: Map<string, Message[]>,
  observed: Observed[],
  served: ServedStep | undefined,
  stored: Stored,
): Generator<boolean> {
  const numbers = new Set(buffers.flatMap(({ id, dtype }) => (dtype === "u32" ? [] : [id])));
  const at = (id: string | undefined): Float64Array => {
    const found = memory.get(id ?? "");
    if (found === undefined) throw new Error(`rank ${rank} has no buffer ${id}`);
    return found;
  };
  /** Of some columns each row, else all at once. */
  const rowsAt = (id: string): Float64Array[] => {
    const { columnsOf, shape = [] } = buffers.find((buffer) => buffer.id === id) ?? {};
    const data = at(id);
    if (columnsOf === undefined) return [data];
    const [own, pitch] = [rowPitch(shape.at(-1) ?? 1), columnsOf.pitch / 4];
    return Array.from({ length: Math.ceil(data.length / pitch) }, (_, row) =>
      data.subarray(row * pitch, row * pitch + own),
    );
  };
  const splits = new Map<number, Float64Array[]>();
  const post = (channel: number, target: number, data: Message): void => {
    const key = `${channel}:${rank}>${target}`;
    mailboxes.set(key, [...(mailboxes.get(key) ?? []), data.slice()]);
  };
  function* take(channel: number, source: number): Generator<boolean, Message> {
    for (;;) {
      const message = mailboxes.get(`${channel}:${source}>${rank}`)?.shift();
      yield message !== undefined;
      if (message !== undefined) return message;
    }
  }
  /** Transfers under way beside the instructions, by channel. */
  const started = new Map<number, Generator<boolean>>();
  const inOrder = runInstructions();
  for (;;) {
    const next = inOrder.next();
    if (next.done === true) break;
    let progress = next.value;
    for (const [channel, one] of started) {
      const step = one.next();
      if (step.done === true) started.delete(channel);
      progress ||= step.done === true || step.value;
    }
    yield progress;
  }
  if (started.size > 0) throw new Error(`rank ${rank} ends while transfers are under way`);

  function* runInstructions(): Generator<boolean> {
    for (const instruction of instructions) {
      if (instruction.origin.serves !== served?.phase) continue;
      switch (instruction.op) {
        case "kernel":
          // As a kernel does, padding included: others have used the memory before.
          for (const id of writtenBuffers(instruction)) for (const row of rowsAt(id)) row.fill(0);
          runKernel(instruction, instruction.buffers.map(at));
          for (const id of writtenBuffers(instruction)) {
            if (numbers.has(id)) for (const row of rowsAt(id)) row.set(row.map(stored));
          }
          break;
        case "input": {
          const { content, buffer } = instruction;
          const isServed = content.kind === "served";
          const isVectors = isServed ? content.of.what === "vectors" : content.kind !== "ids";
          const dtype = isVectors ? "f32" : "u32";
          const bytes = isServed
            ? servedBytes(content, served ?? noStep(), hashSource(program.seed), dtype)
            : fillContent(content, hashSource(program.seed), dtype);
          const values = new (isVectors ? Float32Array : Uint32Array)(bytes.buffer);
          at(buffer).set(isVectors ? values.map(stored) : values);
          break;
        }
        case "copy": {
          const from = instruction.sourceOffset / 4;
          at(instruction.target).set(
            at(instruction.source).subarray(from, from + instruction.bytes / 4),
            instruction.targetOffset / 4,
          );
          break;
        }
        case "observe":
          observed.push({
            rank,
            layer: instruction.origin.layer,
            microBatch: instruction.origin.microBatch,
            observation: instruction.observation,
            data: at(instruction.buffer).slice(),
          });
          break;
        case "start": {
          const { transfer: begun } = instruction;
          if (started.has(begun.channel)) throw new Error(`${begun.name} is under way`);
          started.set(begun.channel, runTransfer(begun));
          break;
        }
        case "done":
          while (started.has(instruction.channel)) yield false;
          break;
        default:
          yield* runTransfer(instruction);
      }
      yield true;
    }
  }

  function runTransfer(instruction: Collective): Generator<boolean> {
    return instruction.op === "expert-dispatch" || instruction.op === "expert-combine"
      ? expertTransfer(instruction)
      : transfer(instruction);
  }

  function* transfer(
    instruction: Exclude<Collective, { op: "expert-dispatch" | "expert-combine" }>,
  ): Generator<boolean> {
    const { from, to, channel } = instruction;
    const i = from.indexOf(rank);
    const j = to.indexOf(rank);
    if (i >= 0) {
      const send = at(instruction.send);
      for (const [k, target] of to.entries()) {
        const [start, count] = pieceOf(instruction, i, k);
        post(channel, target, send.subarray(start, start + count));
      }
    }
    if (j < 0) return;
    const pieces: Message[] = [];
    for (const source of from) pieces.push(yield* take(channel, source));
    const receive = at(instruction.receive);
    let next = 0;
    const sums = reduces(instruction);
    if (sums) receive.fill(0, 0, pieces[0]?.length ?? 0);
    for (const piece of pieces) {
      if (sums) for (const [k, value] of piece.entries()) receive[k] = stored(receive[k]! + value);
      else receive.set(piece, next);
      next += piece.length;
    }
    const needed = workspaceOf(instruction, rank).bytes / 4;
    if (needed > 0 && at(instruction.workspace).length < needed) {
      throw new Error("workspace too small");
    }
  }

  function* expertTransfer(
    instruction: Extract<Collective, { op: "expert-dispatch" | "expert-combine" }>,
  ): Generator<boolean> {
    const { from, to, channel, rowElements, expertsPerRank } = instruction;
    const starts = startsOf(expertsPerRank);
    const i = from.indexOf(rank);
    const j = to.indexOf(rank);
    if (instruction.op === "expert-dispatch") {
      const everyone = [...new Set([...from, ...to])];
      if (i >= 0) for (const target of everyone) post(channel, target, at(instruction.counts));
      const counts: Message[] = [];
      for (const source of from) counts.push(yield* take(channel, source));
      const taken = new Float64Array(counts[0]?.length ?? 0);
      const kept = counts.map((own) =>
        own.map((count, e) => {
          const accepted = Math.min(count, (instruction.capacity ?? Infinity) - taken[e]!);
          taken[e]! += accepted;
          return accepted;
        }),
      );
      splits.set(channel, [...kept, ...counts]);
      if (i >= 0) {
        at(instruction.kept).set(kept[i]!);
        const first = startsOf([...counts[i]!]);
        for (const [k, target] of to.entries()) {
          const rows: number[] = [];
          for (let e = starts[k]!; e < starts[k]! + expertsPerRank[k]!; e++) {
            const row = first[e]! * rowElements;
            rows.push(...at(instruction.send).subarray(row, row + kept[i]![e]! * rowElements));
          }
          post(channel, target, Float64Array.from(rows));
        }
      }
      if (j >= 0) {
        const pieces: Message[] = [];
        for (const source of from) pieces.push(yield* take(channel, source));
        const used = pieces.map(() => 0);
        let next = 0;
        const offsets = at(instruction.offsets);
        for (let e = 0; e < expertsPerRank[j]!; e++) {
          offsets[e] = next / rowElements;
          for (const [s, piece] of pieces.entries()) {
            const length = kept[s]![starts[j]! + e]! * rowElements;
            at(instruction.receive).set(piece.subarray(used[s], used[s]! + length), next);
            used[s]! += length;
            next += length;
          }
        }
        offsets[expertsPerRank[j]!] = next / rowElements;
      }
      return;
    }
    const known = splits.get(instruction.dispatch) ?? [];
    const [kept, counts] = [known.slice(0, to.length), known.slice(to.length)];
    if (i >= 0) {
      const pieces = to.map((): number[] => []);
      let next = 0;
      for (let e = starts[i]!; e < starts[i]! + expertsPerRank[i]!; e++) {
        for (const [s, piece] of pieces.entries()) {
          const length = kept[s]![e]! * rowElements;
          piece.push(...at(instruction.send).subarray(next, next + length));
          next += length;
        }
      }
      for (const [s, piece] of pieces.entries()) post(channel, to[s]!, Float64Array.from(piece));
    }
    if (j >= 0) {
      const first = startsOf([...counts[j]!]);
      for (const [k, source] of from.entries()) {
        const piece = yield* take(channel, source);
        let used = 0;
        for (let e = starts[k]!; e < starts[k]! + expertsPerRank[k]!; e++) {
          const length = kept[j]![e]! * rowElements;
          at(instruction.receive).set(piece.subarray(used, used + length), first[e]! * rowElements);
          used += length;
        }
      }
    }
  }
}

function noStep(): never {
  throw new Error("a program of serving needs to be told its steps");
}

/** Start and count of what member i of `from` sends to member k of `to`. */
function pieceOf(
  instruction: Exclude<Collective, { op: "expert-dispatch" | "expert-combine" }>,
  i: number,
  k: number,
): [start: number, count: number] {
  switch (instruction.op) {
    case "all-gather":
    case "gather":
      return [0, instruction.counts[i]!];
    case "reduce-scatter":
    case "scatter":
      return [startsOf(instruction.counts)[k]!, instruction.counts[k]!];
    case "all-to-all":
      return [startsOf(instruction.counts[i]!)[k]!, instruction.counts[i]![k]!];
    default:
      return [0, instruction.count];
  }
}

/** One kernel in f64; buffers in the order of its bindings. */
export function runKernel(call: KernelCall, buffers: readonly Float64Array[]): void {
  const [a, b, c, d, e, f, g] = buffers as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  if (isBackwardCall(call)) {
    runBackward(call, buffers);
    return;
  }
  if (isBlockCall(call)) {
    runBlocks(call, buffers);
    return;
  }
  if (isLossCall(call)) {
    runLoss(call, buffers);
    return;
  }
  if (isUpdateCall(call)) {
    runUpdate(call, buffers);
    return;
  }
  switch (call.kernel) {
    case "matmul":
    case "grouped_matmul":
      runProduct(call, buffers);
      return;
    case "embedding": {
      const { tokens, hidden, vocabularyStart, vocabularyRows, scale = 1 } = call.shape;
      const { positions, tile = { index: 0 } } = call.shape;
      const added = positions && c;
      const spans = positions?.queries === undefined ? undefined : d;
      const y = buffers.at(-1)!;
      const pitch = rowPitch(hidden);
      for (let t = 0; t < tokens; t++) {
        const row = a[t]! - vocabularyStart;
        const place =
          positions === undefined ? 0 : positions.first + positionOf(positions, t, spans);
        for (let h = 0; h < hidden; h++) {
          const entry = scale * b[row * pitch + h]! + (added?.[place * pitch + h] ?? 0);
          const left = tile.index === 0 ? 0 : y[t * pitch + h]!;
          y[t * pitch + h] = row >= 0 && row < vocabularyRows ? entry : left;
        }
      }
      return;
    }
    case "attention":
      runAttention(call.shape, buffers);
      return;
    case "attention_scores":
      runScores(call.shape, a, b);
      return;
    case "attention_values":
      runValues(call.shape, a, b, c);
      return;
    case "rotary":
      runRotary(call.shape, buffers);
      return;
    case "head_matmul":
      runHeadMatmul(call.shape, a, b, c);
      return;
    case "mean_squares":
      runMeanSquares(call.shape, buffers);
      return;
    case "causal_conv":
      runCausalConv(call.shape, a, b, c);
      return;
    case "gated_delta":
      runGatedDelta(call.shape, a, b, c, d, e);
      return;
    case "rms_norm":
      normalise(call.shape, "rms", a, b, undefined, c, call.shape.inputColumns);
      return;
    case "layer_norm":
      if (call.shape.bias) normalise(call.shape, "layer", a, b, c, d);
      else normalise(call.shape, "layer", a, b, undefined, c);
      return;
    case "softmax": {
      const { rows, columns } = call.shape;
      for (let r = 0; r < rows; r++) {
        const row = a.subarray(r * rowPitch(columns), r * rowPitch(columns) + columns);
        const largest = row.reduce((x, y) => Math.max(x, y), -Infinity);
        const total = row.reduce((sum, v) => sum + Math.exp(v - largest), 0);
        b.set(
          row.map((v) => Math.exp(v - largest) / total),
          r * rowPitch(columns),
        );
      }
      return;
    }
    case "add_rms_norm":
      d.set(a.map((v, i) => (call.shape.scale ?? 1) * v + b[i]!));
      normalise(call.shape, "rms", d, c, undefined, e);
      return;
    case "add_layer_norm":
      {
        const [bias, sum, y] = call.shape.bias ? [d, e, f] : [undefined, d, e];
        sum.set(a.map((v, i) => (call.shape.scale ?? 1) * v + b[i]!));
        normalise(call.shape, "layer", sum, c, bias, y);
      }
      return;
    case "add":
      for (let i = 0; i < call.shape.rows * rowPitch(call.shape.columns); i++)
        c[i] = (call.shape.scale ?? 1) * a[i]! + b[i]!;
      return;
    case "route_top_k": {
      const { tokens, experts, topK, corrected } = call.shape;
      const correction = corrected ? b.subarray(0, experts) : undefined;
      const [ids, weights] = corrected ? [c, d] : [b, c];
      for (let t = 0; t < tokens; t++) {
        const logits = a.slice(t * rowPitch(experts), t * rowPitch(experts) + experts);
        const chosen = topExperts(keysOf(logits, call.shape, correction), call.shape);
        ids.set(chosen, t * topK);
        weights.set(choiceWeights(logits, chosen, call.shape), t * topK);
      }
      return;
    }
    case "route_positions": {
      const { tokens, experts, topK } = call.shape;
      c.fill(0);
      for (let i = 0; i < tokens * topK; i++) b[i] = c[a[i]!]!++;
      d[0] = 0;
      for (let x = 0; x < experts; x++) d[x + 1] = d[x]! + c[x]!;
      return;
    }
    case "permute_tokens": {
      const { tokens, topK, hidden, weighted } = call.shape;
      const [weights, y] = weighted ? [e, f] : [undefined, e];
      const pitch = rowPitch(hidden);
      for (let i = 0; i < tokens * topK; i++) {
        const token = Math.floor(i / topK);
        const row = a.subarray(token * pitch, (token + 1) * pitch);
        y.set(
          row.map((v) => (weights?.[i] ?? 1) * v),
          (d[b[i]!]! + c[i]!) * pitch,
        );
      }
      return;
    }
    case "top_logits":
      runTopLogits(call.shape, a, b);
      return;
    case "append_cache":
    case "attend_cache":
    case "combine_attention":
      runCacheKernel(call, buffers);
      return;
    case "combine_tokens": {
      const { tokens, topK, hidden, unweighted } = call.shape;
      const [weights, y] = unweighted ? [undefined, f] : [f, g];
      const pitch = rowPitch(hidden);
      y.fill(0);
      for (let i = 0; i < tokens * topK; i++) {
        const expert = b[i]!;
        if (c[i]! >= e[expert]!) continue;
        const row = (d[expert]! + c[i]!) * pitch;
        for (let h = 0; h < hidden; h++) {
          y[Math.floor(i / topK) * pitch + h]! += (weights?.[i] ?? 1) * a[row + h]!;
        }
      }
      return;
    }
    case "gather_columns": {
      const { rows, pieces, pieceColumns } = call.shape;
      for (let p = 0; p < pieces; p++) {
        for (let r = 0; r < rows; r++) {
          for (let x = 0; x < pieceColumns; x++) {
            b[r * rowPitch(pieces * pieceColumns) + p * pieceColumns + x] =
              a[(p * rows + r) * rowPitch(pieceColumns) + x]!;
          }
        }
      }
      return;
    }
    case "slice_columns": {
      const { rows, inputColumns, offset, columns } = call.shape;
      for (let r = 0; r < rows; r++) {
        for (let x = 0; x < columns; x++) {
          b[r * rowPitch(columns) + x] = a[r * rowPitch(inputColumns) + offset + x]!;
        }
      }
      return;
    }
    case "reduce_sum": {
      const { pieces, elements } = call.shape;
      for (let i = 0; i < elements; i++) {
        b[i] = 0;
        for (let p = 0; p < pieces; p++) b[i]! += a[p * elements + i]!;
      }
      return;
    }
    case "reduce_words":
      throw new Error("elements within words belong to collectives");
    case "aggregate": {
      const { rows, columns, group, scale } = call.shape;
      b.fill(0);
      for (let r = 0; r < rows; r++) {
        for (let x = 0; x < columns; x++) {
          b[Math.floor(r / group) * rowPitch(columns) + x]! +=
            scale * a[r * rowPitch(columns) + x]!;
        }
      }
    }
  }
}

function normalise(
  { rows, columns, epsilon }: NormShape,
  kind: "rms" | "layer",
  x: Float64Array,
  gain: Float64Array,
  bias: Float64Array | undefined,
  y: Float64Array,
  inputColumns = columns,
): void {
  for (let r = 0; r < rows; r++) {
    const first = r * rowPitch(inputColumns);
    const row = x.subarray(first, first + columns);
    const mean = kind === "rms" ? 0 : row.reduce((sum, v) => sum + v, 0) / columns;
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / columns;
    for (const [column, v] of row.entries()) {
      const scaled = ((v - mean) / Math.sqrt(variance + epsilon)) * gain[column]!;
      y[r * rowPitch(columns) + column] = scaled + (bias?.[column] ?? 0);
    }
  }
}
