// What all ranks checked together, by kind, and what they did not.

import type { Program } from "../program/program.ts";
import { bothOf, type KindCheck, type RankCheck } from "../runtime/check/rank_check.ts";
import { checkTransfers } from "./check_transfers.ts";

/** @throws NumericsError where what came out of a collective is not what went in */
export function checkedKinds(
  program: Program,
  checks: readonly RankCheck[],
): { readonly kinds: readonly KindCheck[]; readonly notChecked: readonly string[] } {
  const transfers = checkTransfers(
    program,
    checks.flatMap((check) => check.transfers),
  );
  const kinds = new Map<string, KindCheck>();
  for (const kind of [...checks.flatMap((check) => check.kinds), ...transfers]) {
    const before = kinds.get(kind.kind);
    kinds.set(kind.kind, before === undefined ? kind : bothOf(before, kind));
  }
  const unchecked = new Set(checks.flatMap((check) => check.unchecked));
  const hasSynthetic = program.ranks.some(({ instructions }) =>
    instructions.some(({ origin }) => origin.synthetic === true),
  );
  return {
    kinds: [...kinds.values()],
    notChecked: [
      ...[...unchecked].map((kernel) => `kernel ${kernel}`),
      ...(hasSynthetic ? ["the synthetic backward pass, whose results nobody reads"] : []),
    ],
  };
}
