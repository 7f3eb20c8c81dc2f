// One rank's part of the checking step. Every instruction's result is held against its operands of this very run; what
// it writes is poisoned before, so that nothing passes by what was there already; weights and inputs are held against
// their source. So each result is right if those before it are, and all are. What goes from rank to rank is judged by
// whoever sees all ranks, from what each shows of it.

import { bytesPerElement } from "../../kernels/storage.ts";
import type { BufferRegion } from "../../collectives/buffer_region.ts";
import { NumericsError } from "../../numerics_error.ts";
import type { ContentSource } from "../../program/content_source.ts";
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
import {
  accumulatedBuffers,
  checkWritten,
  type Poison,
  writtenBuffers,
  writtenRegions,
} from "./poison.ts";
import type { Projections } from "./product.ts";
import { createTransferWitness, type Evidence, type TransferEvidence } from "./transfers.ts";
import { usedBytes } from "./used_rows.ts";
import { type CheckView, readAll } from "./view.ts";

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

/** @param served of serving, what the step works on */
export function createRankChecker(
  program: RankProgram,
  source: ContentSource,
  rankView: Omit<CheckView, "before">,
  region: (id: string) => BufferRegion,
  poison: Poison,
  served?: ServedStep,
): RankChecker {
  /** Of the instruction that comes next, what it adds to. */
  const held = new Map<string, Uint8Array<ArrayBuffer>>();
  const view: CheckView = { ...rankView, before: (buffer) => held.get(buffer) };
  const last = Math.max(0, ...program.instructions.map(({ origin }) => origin.microBatch));
  const isLooked = (microBatch: number): boolean =>
    view.effort.microBatches === "all" || microBatch === 0 || microBatch === last;
  const checks: Checks = {
    ...(served === undefined ? {} : { served }),
    source,
    view,
    kinds: new Map(),
    unchecked: new Set(),
    projections: new Map(),
  };
  const transfers = createTransferChecks(view);
  const seen = new Set<Instruction>();
  const stopsAt: RankChecker["stopsAt"] = ({ op, origin }) =>
    op !== "observe" && origin.synthetic !== true && isLooked(origin.microBatch);
  return {
    begin: async () => checkWeights(checks, program),
    stopsAt,
    async before(instruction) {
      await transfers.before(instruction);
      held.clear();
      for (const id of accumulatedBuffers(instruction)) held.set(id, await readAll(view, id));
      poison.fill(writtenRegions(instruction, region));
    },
    async after(instruction) {
      seen.add(instruction);
      await (isOfRank(instruction)
        ? checkInstruction(checks, instruction)
        : transfers.after(instruction));
    },
    report() {
      const missed = program.instructions.find((one) => stopsAt(one) && !seen.has(one));
      if (missed !== undefined) {
        const place = placeOf(view, kindOf(missed), missed.origin);
        throw new NumericsError(`${place} did not run`, Infinity, 1);
      }
      return {
        kinds: [...checks.kinds.values()].map((kind) => ({
          ...kind,
          allCalls:
            kind.kind === "weights"
              ? kind.calls
              : program.instructions.filter((one) => isOfKind(one, kind.kind)).length,
        })),
        transfers: transfers.evidence,
        unchecked: [...checks.unchecked],
      };
    },
  };
}

/** What was checked so far, and what with. */
interface Checks {
  /** Of serving, what the step works on. */
  readonly served?: ServedStep;
  readonly source: ContentSource;
  readonly view: CheckView;
  readonly kinds: Map<string, Omit<KindCheck, "allCalls">>;
  readonly unchecked: Set<string>;
  readonly projections: Projections;
}

/** Throws where it is wrong. */
function note(
  { kinds }: Checks,
  kind: string,
  { unit, checked, total, deviation }: Coverage,
  what: string,
): void {
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
}

function placeOf({ rank }: CheckView, what: string, { layer, microBatch }: Origin): string {
  return `${what} of ${layer} on rank ${rank}, micro-batch ${microBatch}`;
}

async function checkWeights(checks: Checks, { buffers }: RankProgram): Promise<void> {
  const { view, source } = checks;
  const weights = buffers.filter(({ content }) => content !== undefined);
  const elements = weights.reduce(
    (sum, { bytes, dtype }) => sum + bytes / bytesPerElement(dtype),
    0,
  );
  const { contentElements, contentSample } = view.effort;
  const most = elements <= contentElements ? contentElements : contentSample;
  for (const { id, content, dtype } of weights) {
    if (content === undefined) continue;
    const coverage = await checkContent(view, id, content, dtype, source, most);
    note(checks, "weights", coverage, `${id} on rank ${view.rank}`);
  }
}

/** What a rank does by itself. */
type OfRank = Extract<Instruction, { op: "kernel" | "copy" | "input" }>;

function isOfRank(instruction: Instruction): instruction is OfRank {
  return instruction.op === "kernel" || instruction.op === "copy" || instruction.op === "input";
}

async function checkInstruction(checks: Checks, instruction: OfRank): Promise<void> {
  const { view, source, served } = checks;
  const { op, origin } = instruction;
  if (op === "kernel") return checkKernelCall(checks, instruction);
  const place = placeOf(view, op, origin);
  if (op === "copy") {
    note(checks, op, await checkCopy(instruction, view), place);
    return;
  }
  const { buffer, content } = instruction;
  const most = view.effort.contentElements;
  const dtype = view.dtypeOf(buffer);
  if (content.kind !== "served") {
    note(checks, op, await checkContent(view, buffer, content, dtype, source, most), place);
    return;
  }
  if (served === undefined) throw new Error(`${place}: no step of serving`);
  const expected = servedBytes(content, served, source, dtype);
  note(checks, op, await checkBytes(view, buffer, expected), place);
}

async function checkKernelCall(checks: Checks, instruction: KernelInstruction): Promise<void> {
  const { view, projections, unchecked } = checks;
  const { kernel, origin } = instruction;
  const coverage = await checkKernel(instruction, view, projections);
  if (coverage === undefined) {
    unchecked.add(kernel);
    return;
  }
  const place = placeOf(view, kernel, origin);
  note(checks, kernel, coverage, place);
  if (coverage.checked === coverage.total || leavesRoom.has(kernel)) return;
  const used = await usedBytes(instruction, view);
  for (const id of writtenBuffers(instruction)) {
    const written = await checkWritten(view, id, view.dtypeOf(id), used);
    if (written.worst > 1) throw wrong(written, place);
  }
}

interface TransferChecks {
  readonly evidence: readonly TransferEvidence[];
  before(instruction: Instruction): Promise<void>;
  after(instruction: Instruction): Promise<void>;
}

function createTransferChecks(view: CheckView): TransferChecks {
  const evidence: TransferEvidence[] = [];
  const witness = createTransferWitness(view);
  /** Under way, by channel: the collective and what was sent. */
  const underWay = new Map<number, { transfer: Collective; sent: Evidence | undefined }>();
  return {
    evidence,
    async before(instruction) {
      const transfer = collectiveOf(instruction);
      if (transfer === undefined) return;
      underWay.set(transfer.channel, { transfer, sent: await witness.sent(transfer) });
    },
    async after(instruction) {
      // What is only started is over where it is awaited.
      if (instruction.op === "start" || !("channel" in instruction)) return;
      const { channel } = instruction;
      const known = underWay.get(channel);
      underWay.delete(channel);
      if (known === undefined) return;
      const { transfer, sent } = known;
      const received = await witness.received(transfer);
      evidence.push({
        channel,
        microBatch: transfer.origin.microBatch,
        rank: view.rank,
        ...(sent === undefined ? {} : { sent }),
        ...(received === undefined ? {} : { received }),
      });
    },
  };
}
