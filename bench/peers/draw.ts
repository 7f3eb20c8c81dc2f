// Tasks drawn at random, so that nobody can tune kernels to a list: the same for the same seed.

import { randomSource } from "../../test/support/tensors.ts";
import type { Task } from "./tasks.ts";

/** An integer of `least` to `most`, each octave as likely as the next. */
type Draw = (least: number, most: number) => number;

/** Elements of the largest operand: more would be as slow for everybody, and checks would take longer. */
const mostElements = 2 ** 22;

const kinds: readonly ((draw: Draw) => Task)[] = [
  (draw) => {
    const k = draw(64, 8192);
    return { op: "matmul", m: draw(1, 8), k, n: draw(64, mostElements / k) };
  },
  (draw) => {
    const [experts, hidden] = [draw(2, 32), draw(64, 1024)];
    const ffn = draw(32, Math.min(4096, mostElements / (experts * hidden)));
    return { op: "experts", experts, rows: draw(4, 32), hidden, ffn };
  },
  (draw) => {
    const [batch, kvHeads, headDim] = [draw(1, 8), draw(1, 8), 16 * draw(2, 8)];
    const keys = draw(64, mostElements / (batch * kvHeads * headDim));
    return { op: "attend_cache", batch, kvHeads, group: draw(1, 8), headDim, keys };
  },
  (draw) => {
    const [tokens, experts] = [draw(16, 8192), draw(8, 256)];
    return { op: "routing", tokens, experts, topK: draw(1, 8) };
  },
  (draw) => {
    const columns = draw(32, 8192);
    return { op: "softmax", rows: draw(4, mostElements / columns), columns };
  },
  (draw) => {
    const columns = draw(64, 8192);
    return { op: "rms_norm", rows: draw(1, mostElements / columns), columns };
  },
];

/** So many of each kind. */
export function drawTasks(seed: number, each: number): Task[] {
  const random = randomSource(seed);
  const draw: Draw = (least, most) =>
    Math.min(Math.floor(most), Math.floor(least * ((most + 1) / least) ** random()));
  return kinds.flatMap((make) => Array.from({ length: each }, () => make(draw)));
}
