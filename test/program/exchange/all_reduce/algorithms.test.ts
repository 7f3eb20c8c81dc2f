// Every algorithm of the table, played with names in place of numbers: a sum is the list of the ranks in it.

import { describe, expect, test } from "vitest";
import {
  algorithmNames,
  algorithms,
} from "../../../../src/program/exchange/all_reduce/algorithms.ts";
import { exchangedIn } from "../../../../src/program/exchange/all_reduce/all_reduce.ts";
import type { ReduceAlgorithm } from "../../../../src/program/exchange/all_reduce/algorithm.ts";
import { broadcastSteps } from "../../../../src/program/exchange/all_reduce/broadcast_phase.ts";
import {
  bytesOfSum,
  type Reduction,
  sliceOf,
} from "../../../../src/program/exchange/all_reduce/reduction.ts";
import {
  recvReduceSend,
  send as sendOwn,
  type ReduceStep,
} from "../../../../src/program/exchange/reduce_step.ts";

interface Message {
  readonly offset: number;
  readonly bytes: number;
  /** Summands in the order of addition. */
  readonly sum: string;
  /** Messages one after the other until it has come. */
  readonly hops: number;
}

/** What a rank has added at the end of its steps, by where the slice begins. */
type Added = ReadonlyMap<number, Message>;

/** Plays the first phase; throws where ranks wait for each other. */
function play(algorithm: ReduceAlgorithm, reduction: Reduction): Map<number, Added> {
  const ranks = [...new Set([...reduction.from, ...reduction.to])];
  const left = new Map(ranks.map((rank) => [rank, [...algorithm.steps(reduction, rank)]]));
  const added = new Map(ranks.map((rank) => [rank, new Map<number, Message>()]));
  const underWay = new Map<string, Message[]>();
  const queue = (source: number, reader: number): Message[] => {
    const key = `${source} ${reader}`;
    const found = underWay.get(key) ?? [];
    underWay.set(key, found);
    return found;
  };
  const execute = (rank: number, { slice, recv, reduce, send }: ReduceStep): void => {
    const { sourceOffset: offset, bytes } = slice;
    const received = new Map(recv.map((source) => [source, queue(source, rank).shift()]));
    for (const [source, message] of received) {
      if (message?.offset === offset && message.bytes === bytes) continue;
      throw new Error(`rank ${rank} is sent another slice by ${source} than it receives`);
    }
    const hops = Math.max(0, ...[...received.values()].map((message) => message?.hops ?? 0));
    const names = reduce.map((source) =>
      source === rank ? String(rank) : inner(received, source),
    );
    const sum = reduce.length === 0 ? String(rank) : names.join("+");
    if (reduce.length > 0) {
      if (added.get(rank)?.has(offset) === true) throw new Error(`rank ${rank} adds a slice again`);
      added.get(rank)?.set(offset, { offset, bytes, sum, hops });
    }
    for (const reader of send) queue(rank, reader).push({ offset, bytes, sum, hops: hops + 1 });
  };
  for (let goesOn = true; goesOn;) {
    goesOn = false;
    for (const [rank, steps] of left) {
      for (let [step] = steps; step?.recv.every((source) => queue(source, rank).length > 0);) {
        execute(rank, step);
        steps.shift();
        [step] = steps;
        goesOn = true;
      }
    }
  }
  const isOver = [...left.values(), ...underWay.values()].every(({ length }) => length === 0);
  if (!isOver) throw new Error("ranks wait for each other, or send what nobody receives");
  return added;
}

/** What a run or a simulation cannot take of the steps of a rank. */
function breachesOf(steps: readonly ReduceStep[]): string[] {
  const sent = steps.flatMap((step, at) => (step.send.length === 0 ? [] : [{ ...step, at }]));
  const own = sent.filter(({ reduce }) => reduce.length === 0);
  const sums = sent.filter(({ reduce }) => reduce.length > 0);
  const ownReaders = own.flatMap(({ send: readers }) => readers);
  const readersOf = (readers: readonly number[]): string => inOrder([...new Set(readers)]).join();
  const hops = [...(own.length === 0 ? [] : [ownReaders]), ...sums.map(({ send: to }) => to)];
  const [firstSum = Infinity] = sums.map(({ at }) => at);
  return [
    ...(own.some(({ at }) => at > firstSum) ? ["a summand leaves after a sum"] : []),
    ...(new Set(ownReaders).size < ownReaders.length ? ["a reader gets two summands"] : []),
    ...(new Set(hops.map(readersOf)).size > 1 ? ["readers change"] : []),
  ];
}

function inner(received: ReadonlyMap<number, Message | undefined>, source: number): string {
  const sum = received.get(source)?.sum ?? "nothing";
  return sum.includes("+") ? `(${sum})` : sum;
}

function inOrder(ranks: readonly number[]): number[] {
  return ranks.toSorted((a, b) => a - b);
}

function summandsOf({ sum }: Message): number[] {
  return inOrder((sum.match(/\d+/g) ?? []).map(Number));
}

const groups: [from: number[], to: number[]][] = [
  ...[2, 3, 4, 5, 7, 8, 9].map((ranks): [number[], number[]] => {
    const all = Array.from({ length: ranks }, (_, rank) => rank);
    return [all, all];
  }),
  [
    [3, 0, 2],
    [0, 2, 3],
  ],
  [
    [0, 1, 2],
    [1, 2, 3, 4],
  ],
  [
    [0, 1],
    [2, 3, 4],
  ],
];

function casesOf({ sameRanks }: ReduceAlgorithm, ...counts: number[]): Reduction[] {
  return groups
    .filter(([from, to]) => !sameRanks || inOrder(from).join() === inOrder(to).join())
    .flatMap(([from, to]) =>
      counts.map((count) => ({ name: "sum", op: "all-reduce", count, dtype: "f32", from, to })),
    );
}

describe.each(algorithmNames)("%s", (name) => {
  const algorithm: ReduceAlgorithm = algorithms[name];
  /** Of few elements, slices are empty. */
  const cases = casesOf(algorithm, 1, 64, 1000, 100_000);

  test.each(cases)("adds every summand once: $count from $from to $to", (reduction) => {
    const { from, to } = reduction;
    const added = play(algorithm, reduction);
    const owners = algorithm.owners(reduction);
    const slices = owners.length === 0 ? 1 : owners.length;
    const sums = (owners.length === 0 ? to : owners).flatMap((rank, k) => {
      const { sourceOffset, bytes } = sliceOf(reduction, slices, owners.length === 0 ? 0 : k);
      return bytes === 0 ? [] : [added.get(rank)?.get(sourceOffset)];
    });
    const whole = sums.reduce((total, sum) => total + (sum?.bytes ?? 0), 0);
    expect(whole).toBe(bytesOfSum(reduction) * (owners.length === 0 ? to.length : 1));
    expect(sums.map((sum) => sum && summandsOf(sum))).toEqual(sums.map(() => inOrder(from)));
    // Where all readers add, they do so in the same order.
    expect(new Set(sums.map((sum) => sum?.sum)).size).toBeLessThanOrEqual(slices);
  });

  test.each(cases)("takes steps that run: $count from $from to $to", (reduction) => {
    const ranks = [...new Set([...reduction.from, ...reduction.to])];
    const breaches = ranks.flatMap((rank) => breachesOf(algorithm.steps(reduction, rank)));
    expect(breaches).toEqual([]);
  });

  const hopsIn = (reduction: Reduction): number => {
    const added = [...play(algorithm, reduction).values()].flatMap((own) => [...own.values()]);
    const broadcast = algorithm.owners(reduction).length === 0 ? 0 : 1;
    return Math.max(...added.map(({ hops }) => hops)) + broadcast;
  };

  test.each(casesOf(algorithm, 100_000))(
    "takes the hops that it says: from $from to $to",
    (reduction) => {
      expect(hopsIn(reduction)).toBe(algorithm.hops(reduction.from.length));
    },
  );

  test.each(cases)("adds no more at once than it says: $count from $from to $to", (reduction) => {
    const ranks = [...new Set([...reduction.from, ...reduction.to])];
    const steps = ranks.flatMap((rank) => algorithm.steps(reduction, rank));
    const most = Math.max(...steps.map(({ reduce }) => reduce.length));
    expect(most).toBe(algorithm.summands(reduction));
  });
});

const [first, second] = [
  { sourceOffset: 0, targetOffset: 0, bytes: 256 },
  { sourceOffset: 256, targetOffset: 256, bytes: 256 },
] as const;

test.each([
  ["nothing", [sendOwn(first, [1]), recvReduceSend(second, [2, 0], 0, [1])]],
  ["a summand leaves after a sum", [recvReduceSend(second, [2, 0], 0, [1]), sendOwn(first, [1])]],
  ["a reader gets two summands", [sendOwn(first, [1]), sendOwn(second, [1])]],
  ["readers change", [sendOwn(first, [1]), recvReduceSend(second, [2, 0], 0, [3])]],
] as const)("control: %s is found", (breach, steps) => {
  expect(breachesOf(steps)).toEqual(breach === "nothing" ? [] : [breach]);
});

const closedForms = algorithmNames.filter((name) => "wire" in algorithms[name]);

describe.each(closedForms)("%s", (name) => {
  const algorithm: ReduceAlgorithm = algorithms[name];

  test.each(casesOf(algorithm, 1, 64, 1000, 100_000))(
    "exchanges as many bytes as its closed form says: $count from $from to $to",
    (reduction) => {
      const { from, to } = reduction;
      for (const rank of new Set([...from, ...to])) {
        const steps = [
          ...algorithm.steps(reduction, rank),
          ...broadcastSteps({ ...reduction, algorithm: name }, rank),
        ];
        const member = {
          rank,
          i: from.indexOf(rank),
          j: to.indexOf(rank),
          sources: from.filter((other) => other !== rank).length,
          targets: to.filter((other) => other !== rank).length,
        };
        expect(algorithm.wire?.(reduction, member)).toEqual(exchangedIn(steps));
      }
    },
  );
});

test("a rank broadcasts its own slice before it waits for others", () => {
  for (const name of algorithmNames) {
    const reduction: Reduction = {
      name: "sum",
      op: "all-reduce",
      count: 1000,
      dtype: "f32",
      from: [0, 1, 2],
      to: [0, 1, 2],
    };
    const kinds = broadcastSteps({ ...reduction, algorithm: name }, 1).map(({ send }) =>
      send.length > 0 ? "send" : "recv",
    );
    expect(kinds.lastIndexOf("send")).toBeLessThanOrEqual(0);
  }
});
