// What is known to be slow of ranks on several hosts: groups that exchange within layers, and reach over hosts. Stages of a
// pipeline and replicas, which exchange less, do so without harm.

import { collectiveOf, isForward, type Program } from "../program/program.ts";

/** @param hosts by rank. Undefined where each such group is on one host */
export function groupsBetweenHosts(
  { ranks }: Pick<Program, "ranks">,
  hosts: readonly string[],
): string | undefined {
  const layers = new Set<string>();
  const ops = new Set<string>();
  for (const instruction of ranks.flatMap(({ instructions }) => instructions)) {
    const transfer = collectiveOf(instruction);
    if (transfer === undefined || !isForward(instruction)) continue;
    if (transfer.op === "send" || transfer.op === "recv") continue;
    const reached = new Set([...transfer.from, ...transfer.to].map((rank) => hosts[rank]));
    if (reached.size < 2) continue;
    layers.add(instruction.origin.layer);
    ops.add(transfer.op);
  }
  if (layers.size === 0) return undefined;
  const what = [...ops].join(" and ");
  return `the forward pass has ${what} between hosts in ${layers.size} layers: it is faster with the ranks of a tensor or expert group on one host`;
}
