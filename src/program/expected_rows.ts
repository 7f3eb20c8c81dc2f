import type { GroupedMatmulOp } from "./expert_op.ts";

/** Of a rank that holds so many of all experts, when tokens are balanced. @param rows that it has room for */
export function expectedRowsOf(
  { choices, experts }: Pick<GroupedMatmulOp, "choices" | "experts">,
  rows: number,
  own: number,
): number {
  return Math.min(rows, Math.round((choices * own) / experts));
}
