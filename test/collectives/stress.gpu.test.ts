// Random collectives over overlapping groups, several under way at once, begun and awaited by every rank in
// an order of its own. SHARDBENCH_STRESS says how many, SHARDBENCH_SEED which; few by default.

import { expect, test } from "vitest";
import type { StorageType } from "../../src/kernels/storage.ts";
import { algorithmNames, algorithms } from "../../src/program/exchange/all_reduce/algorithms.ts";
import { type Instruction, isCollective } from "../../src/program/program.ts";
import { openRanks } from "../../src/runtime/coordinator.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { randomSource } from "../support/tensors.ts";
import { addCase, type Case, verify } from "./collective_cases.ts";
import { type Draft, drafts, programOf } from "./small_programs.ts";

const ranks = 5;
const wanted = Number(process.env["SHARDBENCH_STRESS"] ?? 150);
const firstSeed = Number(process.env["SHARDBENCH_SEED"] ?? 1);
/** Each in processes of its own: their buffers are alive together. */
const perPool = 500;

interface Drawn {
  readonly one: Case;
  readonly dtype: StorageType;
}

const ops = [
  "all-gather",
  "all-reduce",
  "reduce-scatter",
  "all-to-all",
  "gather",
  "scatter",
  "reduce",
  "broadcast",
  "send",
] as const;
const requested = [undefined, ...algorithmNames];

function createDice(seed: number) {
  const random = randomSource(seed);
  const below = (limit: number): number => Math.min(limit - 1, Math.floor(random() * limit));
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  const shuffled = <T>(items: readonly T[]): T[] => {
    const keys = new Map(items.map((item) => [item, random()]));
    return items.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
  };
  const group = (most: number): number[] =>
    shuffled(Array.from({ length: ranks }, (_, rank) => rank)).slice(0, 1 + below(most));
  return { below, pick, shuffled, group };
}

type Dice = ReturnType<typeof createDice>;

function draw(dice: Dice, index: number): Drawn {
  const op = dice.pick(ops);
  const from = dice.group(op === "broadcast" || op === "scatter" || op === "send" ? 1 : ranks);
  const toOne = op === "gather" || op === "reduce" || op === "send";
  const algorithm = op === "all-reduce" ? dice.pick(requested) : undefined;
  const needed = algorithm !== undefined && algorithms[algorithm].sameRanks;
  const alike = needed || (!toOne && dice.below(2) === 0);
  const to = alike && from.length > 1 ? dice.shuffled(from) : dice.group(toOne ? 1 : ranks);
  const chosen = alike && from.length === 1 ? undefined : algorithm;
  const sizes = [0, 1, 2, 3, 4, 5, 31, 64, 257, 1024];
  const table = Array.from({ length: ranks ** 2 }, () => dice.pick(sizes));
  const isEven = op === "all-reduce" || op === "reduce" || op === "broadcast" || op === "send";
  const byReader = op === "reduce-scatter" || op === "scatter";
  const count: Case["count"] = (i, j) => {
    if (isEven) return table[0] ?? 0;
    if (op === "all-to-all") return table[i * ranks + j] ?? 0;
    return table[byReader ? j : i] ?? 0;
  };
  const inPlace = op !== "all-to-all" && dice.below(3) === 0;
  const layer = `${index} ${op} ${chosen ?? ""} from ${from.join()} to ${to.join()}`;
  const one = { layer, op, from, to, count, inPlace };
  return {
    one: chosen === undefined ? one : { ...one, algorithm: chosen },
    dtype: dice.pick(["f32", "f16"]),
  };
}

/** Collectives that are under way at the same time. */
function addTogether(
  dice: Dice,
  draft: Draft,
  together: readonly (Drawn & { channel: number })[],
): void {
  const before: Instruction[] = [];
  const starts: Instruction[] = [];
  const dones: Instruction[] = [];
  const after: Instruction[] = [];
  for (const [slot, { one, dtype, channel }] of together.entries()) {
    const own = { ...draft, instructions: [] as Instruction[] };
    addCase(own, one, channel, dtype, `workspace/${slot}`);
    for (const instruction of own.instructions) {
      if (isCollective(instruction)) {
        const { origin, name } = instruction;
        starts.push({ op: "start", origin, transfer: instruction, block: slot });
        dones.push({ op: "done", origin, name, channel });
      } else if (instruction.op === "copy") before.push(instruction);
      else after.push(instruction);
    }
  }
  draft.instructions.push(...before, ...dice.shuffled(starts), ...dice.shuffled(dones), ...after);
}

/** How many were right. */
async function play(seed: number, drawn: (dice: Dice) => readonly Drawn[]): Promise<number> {
  const { choice } = (await testGpu()).report;
  const dice = createDice(seed);
  const cases = drawn(dice).map((one, index) => ({ ...one, channel: index }));
  const all = drafts(ranks);
  for (let first = 0; first < cases.length;) {
    const together = cases.slice(first, first + 1 + dice.below(6));
    first += together.length;
    for (const draft of all) addTogether(dice, draft, together);
  }
  const pool = await openRanks(
    programOf(all, "f32"),
    all.map(() => choice),
  );
  try {
    await pool.step();
    const observations = await pool.observe();
    for (const { one, dtype } of cases) verify(observations, one, dtype);
    return cases.length;
  } finally {
    await pool.close();
  }
}

describeOnAdapter("many collectives at once", () => {
  test(
    `${wanted} random ones in random orders end, and every element is right`,
    { timeout: 600_000 + 4000 * wanted },
    async () => {
      let right = 0;
      for (let seed = firstSeed; right < wanted; seed++) {
        const length = Math.min(perPool, wanted - right);
        right += await play(seed, (dice) =>
          Array.from({ length }, (_, index) => draw(dice, index)),
        );
      }
      expect(right).toBe(wanted);
    },
  );

  test("sums of several chunks a slice, begun together, are right", async () => {
    // In chunks of 1 MiB: two or three a slice.
    const large = [
      { group: [0, 1, 2], elements: 1_200_000 },
      { group: [3, 1], elements: 600_001 },
      { group: [4, 2, 0, 1], elements: 1_300_000 },
    ];
    const right = await play(firstSeed, () =>
      large.map(({ group, elements }, index) => ({
        one: {
          layer: `${index} all-reduce of ${elements}`,
          op: "all-reduce",
          from: group,
          to: group,
          count: () => elements,
          inPlace: index === 1,
          algorithm: "two-shot",
        },
        dtype: "f32",
      })),
    );
    expect(right).toBe(large.length);
  });
});
