// Ranks that exchange nothing with each other have nothing to do with each other's times, and data replicas
// do the same: of groups that are alike only the first is played.

import { costKinds } from "./cost.ts";
import { play, type Played } from "./play.ts";
import type { PlayOptions } from "./playing.ts";
import type { TapeOp, RankTape, Tapes } from "./tape.ts";

/** As `play`, without spans. */
export function playDistinct(tapes: Tapes, options: Omit<PlayOptions, "onSpan">): Played {
  const groups = connected(tapes);
  const models = new Map<string, number>();
  const distinct: RankTape[] = [];
  /** Where the first rank of the group that stands for it is played. */
  const places = groups.map((group) => {
    const signature = signatureOf(group);
    const known = models.get(signature) ?? distinct.length;
    if (known === distinct.length) distinct.push(...group);
    models.set(signature, known);
    return known;
  });
  const played = play({ ...tapes, ranks: distinct }, options);
  const byRank = new Map(
    groups.flatMap((group, g) =>
      group.map(({ rank }, i) => [rank, played.ranks[(places[g] ?? 0) + i]] as const),
    ),
  );
  const nothing = { endMs: 0, computeMs: 0 };
  return { ...played, ranks: tapes.ranks.map(({ rank }) => byRank.get(rank) ?? nothing) };
}

function opsOf({ parts }: RankTape): readonly TapeOp[] {
  return [...new Set(parts)].flat();
}

function mailboxesOf({ transfer }: TapeOp): readonly number[] {
  return transfer === undefined
    ? []
    : [
        ...(transfer.send === undefined ? [] : [transfer.send]),
        ...transfer.recv.map(({ mailbox }) => mailbox),
      ];
}

/** Ranks that are linked by mailboxes, in order of rank. */
function connected({ ranks }: Tapes): RankTape[][] {
  const parents = ranks.map((_, at) => at);
  const rootOf = (at: number): number => {
    let root = at;
    while (parents[root] !== root) root = parents[root] ?? root;
    parents[at] = root;
    return root;
  };
  const firstUser = new Map<number, number>();
  for (const [at, tape] of ranks.entries()) {
    for (const mailbox of new Set(opsOf(tape).flatMap(mailboxesOf))) {
      const other = firstUser.get(mailbox);
      if (other === undefined) firstUser.set(mailbox, at);
      else parents[rootOf(at)] = rootOf(other);
    }
  }
  const groups = new Map<number, RankTape[]>();
  for (const [at, tape] of ranks.entries()) {
    const root = rootOf(at);
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [tape]);
    else group.push(tape);
  }
  return [...groups.values()];
}

/** The same for groups that play the same, with mailboxes counted from the group's first. */
function signatureOf(group: readonly RankTape[]): string {
  const numbers = new Map<number, number>();
  const numberOf = (mailbox: number): number => {
    const number = numbers.get(mailbox) ?? numbers.size;
    numbers.set(mailbox, number);
    return number;
  };
  return group
    .map(({ parts }) => {
      const lists = [...new Set(parts)];
      const told = lists.map((ops) =>
        ops
          .map((op) => {
            const send = op.transfer?.send;
            return [
              ...costKinds.map((kind) => op.cost[kind]),
              send === undefined ? "" : numberOf(send),
              ...(op.transfer?.recv.map(({ mailbox }) => numberOf(mailbox)) ?? []),
            ].join();
          })
          .join(";"),
      );
      return [...told, parts.map((part) => lists.indexOf(part)).join()].join("|");
    })
    .join("\n");
}
