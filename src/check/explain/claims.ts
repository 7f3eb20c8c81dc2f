// Examples of rules on what a plan promises, and on what it says about itself.

import { degrees, type Explained } from "./example.ts";

const sound = degrees();
const claims = (of: object, more: object = {}) => degrees({ claims: of, ...more });
const memory = (of: object, memoryPerGpu = "64GB") => claims(of, { hardware: { memoryPerGpu } });
const peak = (of: object) => claims(of, { hardware: { peakFlops: "1GFLOPS" } });
const optimizations = (...names: string[]) => degrees({ optimizations: names });

export const claimCodes: readonly Explained[] = [
  {
    code: "claim-refuted",
    requires:
      "No claim is beyond what any run of the plan can reach, and none contradicts another: bounds have 2 % of tolerance, 10 % where a datasheet gives the figure, and pairs of claims the tolerance that their line prints.",
    bad: claims({ samplesPerSecond: 10, tokensPerSecond: 20 }),
    good: claims({ samplesPerSecond: 10, tokensPerSecond: 10 }),
  },
  {
    code: "claim-confirmed",
    requires: "Confirms a claim that follows from the plan alone, such as who holds which experts.",
    bad: claims({ expertVariance: 0 }),
    good: claims({ expertVariance: 2 }),
  },
  {
    code: "claim-needs-absurd",
    requires: "What an open claim needs exists: no GPU does more than its peak.",
    bad: peak({ samplesPerSecond: 30_000 }),
    good: peak({ samplesPerSecond: 100 }),
  },
  {
    code: "claims-open",
    requires: "Tells how many claims only a run can decide.",
    bad: claims({ gpuUtilization: 0.8 }),
    good: claims({ expertVariance: 0 }),
  },
  {
    code: "utilization-claim-optimistic",
    requires: "Utilization above 85 % is measured before it is believed.",
    bad: claims({ gpuUtilization: 0.95 }),
    good: claims({ gpuUtilization: 0.8 }),
  },
  {
    code: "utilization-claim-plausible",
    requires: "Confirms that a claimed utilization leaves room.",
    bad: claims({ gpuUtilization: 0.8 }),
    good: claims({ gpuUtilization: 0.95 }),
  },
  {
    code: "memory-claim-without-headroom",
    requires: "A tenth of the memory stays free.",
    bad: memory({ memoryUtilization: 0.95 }),
    good: memory({ memoryUtilization: 0.6 }),
  },
  {
    code: "memory-claim-leaves-headroom",
    requires: "Tells how much memory a claim leaves.",
    bad: memory({ memoryUtilization: 0.6 }),
    good: memory({ memoryUtilization: 0.95 }),
  },
  {
    code: "scaling-claim-without-baseline",
    requires: "Scaling efficiency compares with a run on one GPU that readers can look up.",
    bad: claims({ strongScaling: 0.95 }),
    good: sound,
  },
  {
    code: "scaling-claim-superlinear",
    requires: "N GPUs do not do more than N times the work of one.",
    bad: claims({ weakScaling: 1.2 }),
    good: claims({ weakScaling: 0.9 }),
  },
  {
    code: "optimization-unknown",
    requires: "Optimizations have the field's names.",
    bad: optimizations("fused-atention"),
    good: optimizations("fused-attention"),
  },
  {
    code: "optimization-contradicts-dtype",
    requires: "Mixed precision has a dtype of less than f32.",
    bad: optimizations("mixed-precision"),
    good: degrees({ optimizations: ["mixed-precision"], workload: { dtype: "f16" } }),
  },
  {
    code: "optimization-without-effect",
    requires:
      "Tells which optimizations change no figure: what acts on gradients does nothing in inference, and recomputation needs workload.recompute.",
    bad: optimizations("gradient-accumulation"),
    good: optimizations("fused-attention"),
  },
  {
    code: "assumed-value-missing",
    requires: "What is marked as assumed is in the plan.",
    bad: degrees({ assumed: ["model.hiden"] }),
    good: degrees({ assumed: ["model.hidden"] }),
  },
  {
    code: "bf16-as-f16",
    requires: "Tells that bfloat16 runs as f16.",
    bad: degrees({ workload: { dtype: "bf16" } }),
    good: degrees({ workload: { dtype: "f16" } }),
  },
  {
    code: "values-assumed",
    requires: "Tells how many values the plan's source does not give.",
    bad: degrees({ assumed: ["model.hidden"] }),
    good: sound,
  },
];
