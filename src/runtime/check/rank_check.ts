// One rank's part of the checking step. Every instruction's result is held against its operands of this very run; what
// it writes is poisoned before, so that nothing passes by what was there already; weights and inputs are held against
// their seed. So each result is right if those before it are, and all are. What goes from rank to rank is judged by
// whoever sees all ranks, from what each shows of it.

import { bytesPerElement } from "../../kernels/storage.ts";
import type { BufferRegion } from "../../collectives/buffer_region.ts";
import { NumericsError } from "../../numerics_error.ts";
import {
  collectiveOf,
  type Collective,
  type Instruction,
  type KernelInstruction,
  type Origin,
  type RankProgram,
} from "../../program/program.ts";
import type { Deviation } from "../../reference/deviation.ts";
import { servedBytes, type ServedStep } from "../../program/serving/served.ts";
import { checkBytes, checkCopy } from "./bits.ts";
import { checkContent } from "./content.ts";
import { checkKernel } from "./check_kernel.ts";
import type { Coverage, CheckedUnit } from "./coverage.ts";
import { checkWritten, type Poison, writtenBuffers, writtenRegions } from "./poison.ts";
import type { Projections } from "./product.ts";
import { createTransferWitness, type Evidence, type TransferEvidence } from "./transfers.ts";
import type { CheckView } from "./view.ts";

/** What was checked of one kind of instruction on one rank. All of it was right: what is wrong throws. */
export interface KindCheck {
  /** A kernel's name; `copy`, `input` or `weights`. */
  readonly kind: string;
  /** Checked, and in all. */
  readonly calls: number;
  readonly allCalls: number;
  readonly unit: CheckedUnit;
  readonly checked: number;
  readonly total: number;
  /** Largest error in shares of what the error model accepts. */
  readonly worst: number;
}

/** Of the same kind, both together. */
export function bothOf(a: KindCheck, b: KindCheck): KindCheck {
  return {
    ...a,
    calls: a.calls + b.calls,
    allCalls: a.allCalls + b.allCalls,
    checked: a.checked + b.checked,
    total: a.total + b.total,
    worst: Math.max(a.worst, b.worst),
  };
}

export interface RankCheck {
  readonly kinds: readonly KindCheck[];
  readonly transfers: readonly TransferEvidence[];
  /** Kernels that have no check, by name. */
  readonly unchecked: readonly string[];
}

export interface RankChecker {
  /** Weights, before the step. */
  begin(): Promise<void>;
  /** Whether the step is to stop at it, before and after. */
  readonly stopsAt: (instruction: Instruction) => boolean;
  before(instruction: Instruction): Promise<void>;
  after(instruction: Instruction): Promise<void>;
  /** Throws where the step passed over an instruction. */
  report(): RankCheck;
}

function kindOf(instruction: Instruction): string {
  return instruction.op === "kernel" ? instruction.kernel : instruction.op;
}

function isOfKind(instruction: Instruction, kind: string): boolean {
  return instruction.origin.synthetic !== true && kindOf(instruction) === kind;
}

function wrong({ worst, where }: Deviation, what: string): NumericsError {
  const factor =
    worst === Infinity ? "" : `, ${worst.toExponential(1)} times what rounding explains`;
  return new NumericsError(`${what}: ${where}${factor}`, worst, 1);
}

/** Kernels whose result has room that a right one leaves as it was, or that look at all of it themselves. */
const leavesRoom: ReadonlySet<string> = new Set([
  "matmul",
  "grouped_matmul",
  "route_top_k",
  "attend_cache",
]);

function noStep(): never {
  throw new Error("a step of serving is checked without being told");
}

/** @param served of serving, what the step works on */
export function createRankChecker(
  program: RankProgram,
  seed: number,
  view: CheckView,
  region: (id: string) => BufferRegion,
  poison: Poison,
  served?: ServedStep,
): RankChecker {
  const last = Math.max(0, ...program.instructions.map(({ origin }) => origin.microBatch));
  const isLooked = (microBatch: number): boolean =>
    view.effort.microBatches === "all" || microBatch === 0 || microBatch === last;
  const kinds = new Map<string, Omit<KindCheck, "allCalls">>();
  const unchecked = new Set<string>();
  const transfers: TransferEvidence[] = [];
  const projections: Projections = new Map();
  const witness = createTransferWitness(view);
  /** Under way, by channel: the collective and what was sent. */
  const underWay = new Map<number, { transfer: Collective; sent: Evidence | undefined }>();

  const note = (
    kind: string,
    { unit, checked, total, deviation }: Coverage,
    what: string,
  ): void => {
    if (deviation.worst > 1) throw wrong(deviation, what);
    const before = kinds.get(kind);
    kinds.set(kind, {
      kind,
      unit,
      calls: (before?.calls ?? 0) + 1,
      checked: (before?.checked ?? 0) + checked,
      total: (before?.total ?? 0) + total,
      worst: Math.max(before?.worst ?? 0, deviation.worst),
    });
  };
  const seen = new Set<Instruction>();
  const stopsAt: RankChecker["stopsAt"] = ({ op, origin }) =>
    op !== "observe" && origin.synthetic !== true && isLooked(origin.microBatch);
  const placeOf = (what: string, { layer, microBatch }: Origin): string =>
    `${what} of ${layer} on rank ${view.rank}, micro-batch ${microBatch}`;

  const take = async (transfer: Collective, sent: Evidence | undefined): Promise<void> => {
    const received = await witness.received(transfer);
    transfers.push({
      channel: transfer.channel,
      microBatch: transfer.origin.microBatch,
      rank: view.rank,
      ...(sent === undefined ? {} : { sent }),
      ...(received === undefined ? {} : { received }),
    });
  };

  const afterKernel = async (instruction: KernelInstruction): Promise<void> => {
    const { kernel, origin } = instruction;
    const coverage = await checkKernel(instruction, view, projections);
    if (coverage === undefined) {
      unchecked.add(kernel);
      return;
    }
    const place = placeOf(kernel, origin);
    note(kernel, coverage, place);
    if (coverage.checked === coverage.total || leavesRoom.has(kernel)) return;
    for (const id of writtenBuffers(instruction)) {
      const written = await checkWritten(view, id, view.dtypeOf(id));
      if (written.worst > 1) throw wrong(written, place);
    }
  };

  return {
    async begin() {
      const weights = program.buffers.filter(({ content }) => content !== undefined);
      const elements = weights.reduce(
        (sum, { bytes, dtype }) => sum + bytes / bytesPerElement(dtype),
        0,
      );
      const { contentElements, contentSample } = view.effort;
      const most = elements <= contentElements ? contentElements : contentSample;
      for (const { id, content, dtype } of weights) {
        if (content === undefined) continue;
        const coverage = await checkContent(view, id, content, dtype, seed, most);
        note("weights", coverage, `${id} on rank ${view.rank}`);
      }
    },
    stopsAt,
    async before(instruction) {
      const transfer = collectiveOf(instruction);
      if (transfer !== undefined) {
        underWay.set(transfer.channel, { transfer, sent: await witness.sent(transfer) });
      }
      poison.fill(writtenRegions(instruction, region));
    },
    async after(instruction) {
      const { op, origin } = instruction;
      seen.add(instruction);
      switch (op) {
        case "kernel":
          return afterKernel(instruction);
        case "copy":
          note("copy", await checkCopy(instruction, view), placeOf("copy", origin));
          return;
        case "input": {
          const { buffer, content } = instruction;
          const dtype = view.dtypeOf(buffer);
          const coverage =
            content.kind === "served"
              ? await checkBytes(
                  view,
                  buffer,
                  servedBytes(content, served ?? noStep(), seed, dtype),
                )
              : await checkContent(view, buffer, content, dtype, seed, view.effort.contentElements);
          note("input", coverage, placeOf("input", origin));
          return;
        }
        case "start":
        case "observe":
          return;
        default: {
          const { channel } = instruction;
          const known = underWay.get(channel);
          underWay.delete(channel);
          if (known !== undefined) await take(known.transfer, known.sent);
        }
      }
    },
    report() {
      const missed = program.instructions.find((one) => stopsAt(one) && !seen.has(one));
      if (missed !== undefined) {
        throw new NumericsError(
          `${placeOf(kindOf(missed), missed.origin)} did not run`,
          Infinity,
          1,
        );
      }
      return {
        kinds: [...kinds.values()].map((kind) => ({
          ...kind,
          allCalls:
            kind.kind === "weights"
              ? kind.calls
              : program.instructions.filter((one) => isOfKind(one, kind.kind)).length,
        })),
        transfers,
        unchecked: [...unchecked],
      };
    },
  };
}
