import { describe, expect, test } from "vitest";
import { checkTransfers } from "../../src/harness/check_transfers.ts";
import { NumericsError } from "../../src/numerics_error.ts";
import type { AllGather, AllReduce, Collective } from "../../src/program/program.ts";
import { thorough } from "../../src/runtime/check/effort.ts";
import { createTransferWitness, type TransferEvidence } from "../../src/runtime/check/transfers.ts";
import type { CheckView } from "../../src/runtime/check/view.ts";
import { drafts, originOf, programOf } from "../collectives/small_programs.ts";
import { randomSource } from "../support/tensors.ts";

const random = randomSource(5);
const elements = 3000;
function numbers(count = elements): Float32Array {
  return Float32Array.from({ length: count }, () => 2 * random() - 1);
}

type Memory = Readonly<Record<string, Float32Array | Uint32Array>>;

function viewOf(rank: number, memory: Memory): CheckView {
  const bytes = (id: string): Uint8Array => {
    const { buffer, byteLength } = memory[id] ?? new Float32Array();
    return new Uint8Array(buffer, 0, byteLength);
  };
  return {
    rank,
    effort: thorough,
    random,
    bytesOf: (id) => bytes(id).length,
    dtypeOf: () => "f32",
    compute: async () => undefined,
    before: () => undefined,
    pause: async () => {},
    async read(id, ranges) {
      const own = bytes(id);
      const parts = ranges.map((range) => own.slice(range.offset, range.offset + range.bytes));
      return new Uint8Array(Buffer.concat(parts)).slice();
    },
  };
}

function twoRanks(transfer: Collective) {
  const ranks = drafts(2);
  for (const { instructions } of ranks) instructions.push(transfer);
  return programOf(ranks, "f32");
}

/** What both ranks show of it. */
async function evidenceOf(
  transfer: Collective,
  memories: readonly Memory[],
): Promise<TransferEvidence[]> {
  return Promise.all(
    memories.map(async (memory, rank) => {
      const witness = createTransferWitness(viewOf(rank, memory));
      const sent = await witness.sent(transfer);
      const received = await witness.received(transfer);
      return {
        channel: transfer.channel,
        microBatch: 0,
        rank,
        ...(sent && { sent }),
        ...(received && { received }),
      };
    }),
  );
}

const common = {
  origin: originOf("test/0.linear"),
  name: "moved",
  channel: 3,
  dtype: "f32",
  from: [0, 1],
  to: [0, 1],
  send: "x",
  receive: "y",
} as const;

describe("a sum over two ranks", () => {
  const transfer: AllReduce = { ...common, op: "all-reduce", count: elements };
  const [a, b] = [numbers(), numbers()];
  const sum = a.map((value, i) => value + (b[i] ?? 0));
  const judge = async (first: Float32Array, second: Float32Array) =>
    checkTransfers(
      twoRanks(transfer),
      await evidenceOf(transfer, [
        { x: a, y: first },
        { x: b, y: second },
      ]),
    );

  test("control: that is right passes, and both results count", async () => {
    const [kind] = await judge(sum, sum);
    expect(kind).toMatchObject({ kind: "all-reduce", calls: 1, checked: 2, total: 2 });
    expect(kind?.worst).toBeLessThan(1);
  });

  test("without one of its summands is refused", async () => {
    await expect(judge(sum, b)).rejects.toThrow(NumericsError);
  });

  test.each([0, 1500, elements - 1])("with element %i off is refused", async (at) => {
    const off = sum.with(at, (sum[at] ?? 0) + 0.01);
    await expect(judge(off, sum)).rejects.toThrow(/rank 0/);
  });

  test("that was never written is refused", async () => {
    await expect(judge(sum, sum.with(7, Number.NaN))).rejects.toThrow(/rank 1/);
  });
});

describe("pieces of two ranks one after the other", () => {
  const transfer: AllGather = { ...common, op: "all-gather", counts: [8, 12] };
  const [a, b] = [numbers(8), numbers(12)];
  const judge = async (gathered: readonly number[]) =>
    checkTransfers(
      twoRanks(transfer),
      await evidenceOf(transfer, [
        { x: a, y: Float32Array.from(gathered) },
        { x: b, y: Float32Array.of(...a, ...b) },
      ]),
    );

  test("control: in their order pass", async () => {
    expect(await judge([...a, ...b])).toMatchObject([{ kind: "all-gather", checked: 2 }]);
  });

  test("in another order are refused", async () => {
    await expect(judge([...b, ...a])).rejects.toThrow(NumericsError);
  });

  test("with two elements exchanged are refused", async () => {
    const [first = 0, second = 0, ...rest] = a;
    await expect(judge([second, first, ...rest, ...b])).rejects.toThrow(NumericsError);
  });
});
