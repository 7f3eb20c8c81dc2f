// Examples of rules on what a plan promises, and on what it says about itself.

import { degrees, type Explained, stages } from "./example.ts";

const sound = degrees();
const claims = (of: object, more: object = {}) => degrees({ claims: of, ...more });
const memory = (of: object, memoryPerGpu = "64GB") => claims(of, { hardware: { memoryPerGpu } });
const peak = (of: object) => claims(of, { hardware: { peakFlops: "1GFLOPS" } });
const optimizations = (...names: string[]) => degrees({ optimizations: names });

export const claimCodes: readonly Explained[] = [
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
    code: "utilization-claim-exceeds-bubble",
    requires: "Nobody is busier than the pipeline's bubble allows: 1 − (p − 1)/(m + p − 1).",
    bad: stages({ claims: { gpuUtilization: 0.8 } }),
    good: stages({ claims: { gpuUtilization: 0.6 } }),
  },
  {
    code: "utilization-claim-within-bubble",
    requires: "Confirms that a claimed utilization leaves room for the bubble.",
    bad: stages({ claims: { gpuUtilization: 0.6 } }),
    good: stages({ claims: { gpuUtilization: 0.8 } }),
  },
  {
    code: "utilization-claim-exceeds-balance",
    requires: "Average compute utilization is bounded by the busiest GPU's share of the FLOPs.",
    bad: stages({ claims: { computeUtilization: 0.7 } }),
    good: claims({ computeUtilization: 0.7 }),
  },
  {
    code: "utilization-claim-contradicts-throughput",
    requires: "Throughput × FLOPs per sample is the claimed share of the peak.",
    bad: peak({ samplesPerSecond: 10_000, computeUtilization: 0.1 }),
    good: peak({ samplesPerSecond: 100 }),
  },
  {
    code: "throughput-claim-exceeds-peak",
    requires: "No throughput needs more FLOP/s than all GPUs have at their peak.",
    bad: peak({ samplesPerSecond: 1_000_000 }),
    good: peak({ samplesPerSecond: 100 }),
  },
  {
    code: "throughput-claim-within-peak",
    requires: "Tells what share of the peak a claimed throughput needs.",
    bad: peak({ samplesPerSecond: 100 }),
    good: peak({ samplesPerSecond: 1_000_000 }),
  },
  {
    code: "latency-claim-contradicts-throughput",
    requires: "A step takes at least latency × layers, and brings one batch.",
    bad: claims({ latencyPerLayerMs: 10, samplesPerSecond: 400 }),
    good: claims({ latencyPerLayerMs: 10, samplesPerSecond: 200 }),
  },
  {
    code: "latency-claim-consistent",
    requires: "Confirms that a claimed latency allows the claimed throughput.",
    bad: claims({ latencyPerLayerMs: 10, samplesPerSecond: 200 }),
    good: claims({ latencyPerLayerMs: 10, samplesPerSecond: 400 }),
  },
  {
    code: "token-claim-inconsistent",
    requires: "Tokens per second are samples per second × sequence.",
    bad: claims({ samplesPerSecond: 10, tokensPerSecond: 20 }),
    good: claims({ samplesPerSecond: 10, tokensPerSecond: 10 }),
  },
  {
    code: "token-claim-consistent",
    requires: "Confirms tokens per second.",
    bad: claims({ samplesPerSecond: 10, tokensPerSecond: 10 }),
    good: claims({ samplesPerSecond: 10, tokensPerSecond: 20 }),
  },
  {
    code: "memory-claim-inconsistent",
    requires: "Memory available is memory per GPU × (1 − memory utilization).",
    bad: memory({ memoryUtilization: 0.5, memoryAvailable: "10GB" }),
    good: memory({ memoryUtilization: 0.5, memoryAvailable: "32GB" }),
  },
  {
    code: "memory-claim-consistent",
    requires: "Confirms the memory that is left.",
    bad: memory({ memoryUtilization: 0.5, memoryAvailable: "32GB" }),
    good: memory({ memoryUtilization: 0.5, memoryAvailable: "10GB" }),
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
    code: "memory-claim-above-estimate",
    requires: "Claimed memory is at most twice what the plan's parts add up to.",
    bad: memory({ memoryUtilization: 0.6 }),
    good: memory({ memoryUtilization: 0.8 }, "200kB"),
  },
  {
    code: "memory-claim-below-estimate",
    requires: "Claimed memory is at least what the plan's parts add up to.",
    bad: memory({ memoryUtilization: 0.1 }, "200kB"),
    good: memory({ memoryUtilization: 0.8 }, "200kB"),
  },
  {
    code: "memory-claim-agrees-with-estimate",
    requires: "Confirms claimed memory by the plan's parts.",
    bad: memory({ memoryUtilization: 0.8 }, "200kB"),
    good: memory({ memoryUtilization: 0.1 }, "200kB"),
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
    code: "split-claim-contradicted",
    requires: "Experts per GPU, their variance and the tensor group are what the split says.",
    bad: claims({ expertVariance: 2 }),
    good: claims({ expertVariance: 0 }),
  },
  {
    code: "split-claim-consistent",
    requires: "Confirms a claim by the split alone.",
    bad: claims({ expertVariance: 0 }),
    good: claims({ expertVariance: 2 }),
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
    requires: "Tells which optimizations have nothing to act on in inference.",
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
    code: "values-assumed",
    requires: "Tells how many values the plan's source does not give.",
    bad: degrees({ assumed: ["model.hidden"] }),
    good: sound,
  },
];
