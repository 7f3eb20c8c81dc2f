// Everything that a GPU must hold fits. Refused is only what no run of the plan can hold: activations may be used
// again sooner than our program does, and what a plan does not say of ZeRO and recomputation may be done.

import { formatShare } from "../../../measure/format.ts";
import { isPrinted } from "../../../plan/hardware.ts";
import { featuresOfUnknownWeight, notesThatBear } from "../../../plan/import/note_bearing.ts";
import { unknownOptimizations } from "../../../plan/optimizations.ts";
import type { Plan } from "../../../plan/plan.ts";
import { bytesText } from "../../../plan/quantity.ts";
import { fullestNeed, type MemoryKind, memoryKinds } from "../../../program/memory.ts";
import { degreesWith } from "../../example.ts";
import { fixOfPlan, put, setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const path = ["hardware", "memoryPerGpu"];

/** Above this share an estimate leaves no room for what it does not count. */
const fullShare = 0.9;

const names: Record<MemoryKind, string> = {
  weights: "weights",
  activations: "activations",
  workspace: "workspace",
  keyValueCache: "KV cache",
  gradients: "gradients",
  optimizer: "optimizer state",
};

const reusing = "uses the memory of activations again as soon as they were read";

const memoryFixes = fixOfPlan((plan, faulty) => {
  const { batch, microBatches } = plan.workload;
  const data = plan.degrees?.data ?? 1;
  const most = Math.max(1, Math.floor(batch / data));
  return [
    ...(microBatches < most && batch % (most * data) === 0
      ? [
          setNumber(
            faulty,
            ["workload", "microBatches"],
            most,
            "fewer activations at once, more dispatches",
          ),
        ]
      : []),
    ...(plan.workload.dtype === "f32"
      ? [
          {
            patch: [put(faulty, ["workload", "dtype"], "f16")],
            description: "workload.dtype is now f16",
            consequence: "half the bytes, less precision",
          },
        ]
      : []),
  ];
});

const memoryExceeded: DiagnosticDefinition = {
  code: "memory-exceeded",
  severity: "error",
  title: "Memory Exceeded",
  requires:
    "What every run of the plan must hold fits in a GPU: weights and KV cache; in training weights, gradients and the inputs of blocks, as far as ZeRO and recomputation leave them.",
  examples: {
    bad: degreesWith({ hardware: { memoryPerGpu: "10kB" } }),
    good: degreesWith({ hardware: { memoryPerGpu: "16GiB" } }),
  },
  impact: "memory",
  fix: memoryFixes,
};

const memoryExceededAsPlanned: DiagnosticDefinition = {
  code: "memory-exceeded-as-planned",
  severity: "warning",
  title: "Memory as Planned",
  requires:
    "What the plan's program allocates fits in a GPU, and in training what it keeps where the plan says nothing of ZeRO and recomputation.",
  examples: {
    bad: degreesWith({ hardware: { memoryPerGpu: "138kB" } }),
    good: degreesWith({ hardware: { memoryPerGpu: "16GiB" } }),
  },
  section: "notes",
  impact: "memory",
};

const memoryHeadroomSmall: DiagnosticDefinition = {
  code: "memory-headroom-small",
  severity: "warning",
  title: "Memory Headroom Small",
  requires: "A tenth of the memory stays free.",
  examples: {
    bad: degreesWith({ hardware: { memoryPerGpu: "150kB" } }),
    good: degreesWith({ hardware: { memoryPerGpu: "16GiB" } }),
  },
  impact: "memory",
};

export const memoryHeadroom: DiagnosticDefinition = {
  code: "memory-headroom",
  severity: "info",
  title: "Memory Headroom",
  requires: "Tells how much memory is left, and what takes the rest.",
  examples: {
    bad: degreesWith({ hardware: { memoryPerGpu: "16GiB" } }),
    good: degreesWith({ hardware: { memoryPerGpu: "10kB" } }),
  },
  section: "strengths",
  leansOn: ["model", "stages", "parallel", "workload", "hardware.memoryPerGpu"],
};

export const memorySuffices: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [memoryExceeded, memoryExceededAsPlanned, memoryHeadroomSmall, memoryHeadroom],
  mayRefuseProgram: ({ hardware }) => hardware.memoryPerGpu !== undefined,
  ofProgram: (plan, estimate) => {
    const memory = plan.hardware.memoryPerGpu;
    if (memory === undefined) return [];
    const fullest = fullestNeed(estimate.memory);
    const { rank, total } = fullest;
    const unknown = [...unknownOptimizations(plan), ...featuresOfUnknownWeight(plan.model)];
    // 64 GB stays 64 GB, 16 MiB stays 16 MiB.
    const shown = (value: number) =>
      bytesText(value, memory % 2 ** 20 === 0 ? "binary" : "decimal");
    const parts = memoryKinds
      .filter((kind) => fullest[kind] > 0)
      .map((kind) => `${names[kind]} ${shown(fullest[kind])}`);
    const figures =
      `GPU ${rank}, the fullest, needs ${shown(total)} of ${shown(memory)} ` +
      `(${percent(total, memory)}): ${parts.join(", ")}`;
    const mend = "split over more GPUs, use more micro-batches, or raise hardware.memoryPerGpu";
    const most = Math.max(0, ...estimate.memory.map((need) => need.least));
    if (most > memory * (1 + slackOf(plan))) {
      return [
        report(
          memoryExceeded,
          path,
          `${figures}; any run of the plan holds at least ${shown(most)}`,
          mend,
        ),
      ];
    }
    if (total > memory) {
      return [
        report(
          memoryExceededAsPlanned,
          path,
          unknown.length > 0
            ? `${figures}; what ${unknown.join(" and ")} saves is not known`
            : `${figures}; a run that ${thatSaves(plan)} holds at least ${shown(most)}`,
          plan.workload.mode === "training"
            ? `say in the plan what the run shards and recomputes; else ${mend}`
            : mend,
        ),
      ];
    }
    if (total > fullShare * memory) return [report(memoryHeadroomSmall, path, figures, mend)];
    return [report(memoryHeadroom, path, `${figures}; ${shown(memory - total)} are left`)];
  },
};

function percent(part: number, whole: number): string {
  return formatShare(part / whole, 3);
}

/** Drivers report up to 7 % more than a datasheet prints; weights of fewer bits are not what the plan counts. */
function slackOf(plan: Plan): number {
  if (notesThatBear(plan, "memory").length > 0) return Infinity;
  return isPrinted(plan.hardware, "memoryPerGpu") ? 0.074 : 0;
}

function thatSaves({ workload, degrees }: Plan): string {
  if (workload.mode === "inference") return reusing;
  const means = [
    ...(degrees?.zero === undefined && (degrees?.data ?? 1) > 1
      ? ["shards its state over the data replicas (parallel.zero)"]
      : []),
    ...(workload.recompute === undefined ? ["recomputes activations (workload.recompute)"] : []),
  ];
  return means.length === 0 ? reusing : means.join(" and ");
}
