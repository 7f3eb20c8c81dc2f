// Ways out of a result that does not reach the next stage: the communication that is missing is declared, or the one
// that is there becomes one of another kind.

import type { Communication } from "../../../../plan/plan.ts";
import { setCommunication } from "../../../repair/communication.ts";
import { type Fix, type Proposal, put } from "../../../repair/fix.ts";

type Op = Communication["op"];

export interface MissingTransfer {
  readonly missing: {
    readonly op: Op;
    readonly from: readonly number[];
    readonly to: readonly number[];
  };
}

export interface FittingTransfer {
  /** What the communication at the diagnostic's path could be. */
  readonly fitting: readonly string[];
}

export type NeededTransfer = MissingTransfer | FittingTransfer;

export const declareTransfer: Fix<MissingTransfer> = (
  faulty,
  { path },
  { missing: { op, from, to } },
) => {
  const stage = faulty.written?.stages?.[Number(path[1])];
  if (stage === undefined) return [];
  const taken = new Set((faulty.written?.communications ?? []).map(({ name }) => name));
  const base = `${stage.name}_${op}`;
  const item = {
    name: taken.has(base) ? `${base}_${String(path[1])}` : base,
    op,
    from,
    to,
    after: stage.name,
  };
  const hasList = faulty.written?.communications !== undefined;
  const asOp = (other: Op): Proposal => ({
    patch: [
      hasList
        ? { op: "add", path: "/communications/-", value: { ...item, op: other } }
        : put(faulty, ["communications"], [{ ...item, op: other }]),
    ],
    description: `${item.name} is a new ${other} from GPUs ${from.join(", ")} to ${to.join(", ")}`,
    consequence: "the result is moved between the stages",
  });
  return op === "send" ? [asOp("send"), asOp("broadcast")] : [asOp(op)];
};

export const fitTransfer: Fix<FittingTransfer> = (faulty, { path }, { fitting }) =>
  fitting.map((op) => setCommunication(faulty, path, op, `the communication is now a ${op}`));

export const moveResult: Fix<NeededTransfer> = (faulty, diagnostic, found) =>
  "missing" in found
    ? declareTransfer(faulty, diagnostic, found)
    : fitTransfer(faulty, diagnostic, found);
