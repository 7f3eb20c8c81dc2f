import { expect, test } from "vitest";
import { lower } from "../../../src/program/lower.ts";
import { writtenRegions } from "../../../src/runtime/check/poison.ts";
import { regionOf } from "../../../src/runtime/prepare.ts";
import { planOf } from "../../support/written_plan.ts";

test("what tiles of a product write, and is poisoned before, is the whole result, each byte of it once", () => {
  const plan = planOf(`
name: tiles
hardware: { gpus: 1, maxBinding: 10kB }
workload: { batch: 1, sequence: 3 }
model: { layers: 1, hidden: 16, heads: 2, ffn: 8, vocabulary: 298, biases: [head] }
`);
  const [{ buffers, instructions } = { buffers: [], instructions: [] }] = lower(plan).ranks;
  const declared = new Map(buffers.map((each) => [each.id, each]));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing looks into it
  const memory = { label: "memory" } as GPUBuffer;
  const region = (id: string) => regionOf(memory, declared.get(id)!);
  const head = instructions.filter(
    (one) => one.op === "kernel" && one.origin.layer === "blocks/8.linear",
  );
  expect(head).toHaveLength(3);
  const pieces = head
    .flatMap((one) => writtenRegions(one, region))
    .toSorted((a, b) => a.offset - b.offset);
  expect(pieces).toHaveLength(3 * 3);
  const { offset, size } = region("blocks/8.linear/out");
  let next = offset;
  for (const piece of pieces) {
    expect(piece.offset).toBe(next);
    next += piece.size;
  }
  expect(next).toBe(offset + size);
});
