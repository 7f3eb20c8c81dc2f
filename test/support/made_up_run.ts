// Results of runs that never were, in which everything fits together as it does in a real one.

import { ceilingsOf } from "../../src/measure/ceiling.ts";
import { summariseStep } from "../../src/measure/compute_metrics.ts";
import { groupKernels, type KernelGroups } from "../../src/measure/kernel_groups.ts";
import { kernels } from "../../src/kernels/catalog.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { estimate } from "../../src/program/estimate.ts";
import { callsByKind } from "../../src/harness/check_record.ts";
import { acceptedError } from "../../src/harness/verify.ts";
import { lower } from "../../src/program/lower.ts";
import type { Instruction } from "../../src/program/program.ts";
import type { StepTrace } from "../../src/program/trace.ts";
import { programHash } from "../../src/result/program_hash.ts";
import { assembleResult } from "../../src/result/assemble_result.ts";
import type {
  AdapterCalibration,
  KernelChoice,
  Outcome,
  RankAdapter,
  RunResult,
  ScaledRecord,
} from "../../src/result/result.ts";
import { rankTrace, span } from "../measure/synthetic.ts";
import { softwareOf } from "./given.ts";

/** A step in which every rank computes its kernels for 1 ms each, one after the other. */
function stepOf(plan: Plan, step: number): StepTrace {
  const program = lower(plan);
  const ranks = program.ranks.map(({ rank, instructions }) =>
    rankTrace(
      rank,
      instructions.map(({ op }, i) =>
        span(op === "kernel" ? "compute" : op === "input" ? "host" : "move", i, i + 1, i),
      ),
      { expertTokens: tokensOf(instructions, rank) },
    ),
  );
  const wallMs = Math.max(...ranks.map(({ endMs }) => endMs)) + step / 20;
  return { step, provenance: "measured", wallMs, ranks };
}

/** All rows go to the first expert of the first rank. */
function tokensOf(instructions: readonly Instruction[], rank: number) {
  const tokens: Record<string, number[]> = {};
  for (const instruction of instructions) {
    if (instruction.op !== "expert-dispatch" || !instruction.to.includes(rank)) continue;
    const { origin, rows, to, expertsPerRank } = instruction;
    const own =
      tokens[origin.layer] ??
      Array.from({ length: expertsPerRank[to.indexOf(rank)] ?? 0 }, () => 0);
    tokens[origin.layer] = own;
    if (rank === to[0]) own[0] = (own[0] ?? 0) + rows;
  }
  return tokens;
}

export const swiftshader: AdapterCalibration = {
  adapter: "swiftshader",
  date: "2026-01-02T03:04:06.000Z",
  tookMs: 4000,
  streamedBytes: 2 ** 23,
  ceilings: ceilingsOf({
    f32: {
      variant: "calibration/some_variant",
      runs: [400e9, 450e9, 500e9, 450e9, 450e9],
      others: {},
    },
    copy: { variant: "calibration/copy", runs: [20e9, 20e9, 20e9, 20e9, 20e9], others: {} },
  }),
};

function shaderOf(name: string): string {
  const kernel = Object.values(kernels).find((each) => each.name === name);
  return kernel !== undefined && "shader" in kernel ? (kernel.shader ?? name) : name;
}

/** Every kernel in its own shader. */
function choicesOf({ groups }: KernelGroups): KernelChoice[] {
  return groups.map(({ bytes: _, kernel, ...group }) => ({
    ...group,
    kernel,
    call: kernel,
    variant: shaderOf(kernel),
    expected: shaderOf(kernel),
    reason: "only",
    variants: 1,
    tried: [],
  }));
}

export function runOf(
  plan: Plan,
  adapters: readonly RankAdapter[] = softwareOf(plan.hardware.gpus),
  outcome: Outcome = { state: "complete" },
  calibration: readonly AdapterCalibration[] = [swiftshader],
  scaled?: ScaledRecord,
): RunResult {
  const program = lower(plan);
  const costs = estimate(program, plan);
  const groups = groupKernels(
    program,
    adapters.map(({ id }) => id),
  );
  return assembleResult(plan, program, {
    date: "2026-01-02T03:04:05.000Z",
    programHash: programHash(program),
    versions: {
      shardbench: "0.1.0",
      node: "20.20.0",
      webgpu: "0.6.2",
      os: "linux 6.1 x64",
      cpu: "2 × Xeon",
    },
    adapters,
    check: {
      method: "oracle",
      error: 3.1e-7,
      tolerance: acceptedError(plan, "oracle"),
      compared: "sharded result against the f64 reference",
      values: program.microBatches * program.output.rows * program.output.columns,
      kinds: [...callsByKind(program)].map(([kind, calls]) => ({
        kind,
        calls: Math.ceil((calls ?? 1) / 2),
        allCalls: calls ?? 1,
        unit: "rows",
        checked: 512,
        total: 512,
        worst: 0.1,
      })),
      notChecked: ["kernel attend_cache"],
      timed: { steps: 9, microBatches: plan.workload.microBatches },
    },
    notes: [],
    runs: [{}],
    calibration,
    kernels: choicesOf(groups),
    estimate: costs,
    memory: costs.ranks.map(({ rank, memoryBytes }) => ({
      rank,
      allocatedBytes: memoryBytes,
      peakBytes: memoryBytes + 4096,
    })),
    samples: [0, 1, 2, 3, 4, 5].map((step) => summariseStep(program, stepOf(plan, step), groups)),
    trace: { ...stepOf(plan, 2), run: 0 },
    outcome,
    ...(scaled === undefined ? {} : { scaled }),
  });
}
