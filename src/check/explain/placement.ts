// Examples of rules on GPUs, splits, communications and the tensor group.

import {
  column,
  degrees,
  type Explained,
  gather,
  layers,
  mean,
  reduce,
  row,
  single,
  stages,
} from "./example.ts";

const sound = degrees();
const chain = stages();
const on = (kind: string, gpus: unknown, more = {}) => ({
  op: "linear",
  in: 8,
  out: 8,
  parallel: { kind, gpus, ...more },
});
const whole = (gpu: number) => on("replicated", [gpu]);
const two = (
  communication: object | undefined,
  first: object = whole(0),
  second: object = whole(1),
) =>
  stages({
    stages: [
      { name: "a", layers: [first] },
      { name: "b", layers: [second] },
    ],
    communications: communication === undefined ? undefined : [communication],
  });
const send = { name: "ab", op: "send", from: [0], to: [1] };
const three = { hardware: { gpus: 3 } };

export const placementCodes: readonly Explained[] = [
  {
    code: "schedule-needs-pipeline",
    requires: "A schedule orders stages that share no GPU, or all of them.",
    bad: stages({ workload: { schedule: "gpipe" } }),
    good: stages({
      workload: { schedule: "gpipe" },
      hardware: { gpus: 2 },
      stages: [
        { name: "a", layers: [whole(0)] },
        { name: "b", layers: [whole(1)] },
      ],
      communications: [send],
    }),
  },
  {
    code: "not-enough-gpus",
    requires: "tensor × pipeline × data ranks need as many GPUs.",
    bad: degrees({ hardware: { gpus: 1 } }),
    good: sound,
  },
  {
    code: "gpu-count-fits",
    requires: "Confirms that there are as many GPUs as the plan uses.",
    bad: sound,
    good: degrees({ hardware: { gpus: 1 } }),
  },
  {
    code: "gpu-not-available",
    requires: "GPU ids run from 0 to gpus − 1.",
    bad: stages({ hardware: { gpus: 2 } }),
    good: chain,
  },
  {
    code: "gpu-ids-valid",
    requires: "Confirms that every GPU that is named exists.",
    bad: chain,
    good: stages({ hardware: { gpus: 2 } }),
  },
  {
    code: "gpu-listed-twice",
    requires: "A list names each GPU once: a GPU holds one shard.",
    bad: layers({ a: [{ ...column, parallel: { kind: "column", gpus: [0, 1, 1] } }] }),
    good: chain,
  },
  {
    code: "replicas-share-gpu",
    requires: "A GPU is a member of one data replica.",
    bad: single([
      on("data", [
        [0, 1],
        [1, 2],
      ]),
    ]),
    good: single([on("data", [[0], [1]])]),
  },
  {
    code: "gpu-unused",
    requires: "Something runs on every GPU.",
    bad: degrees({ hardware: { gpus: 4 } }),
    good: sound,
  },
  {
    code: "mesh-does-not-divide-gpus",
    requires:
      "tensor × pipeline × context divides the number of GPUs, unless experts are placed by name.",
    bad: degrees(three),
    good: degrees({ hardware: { gpus: 4 }, parallel: { data: 2 } }),
  },
  {
    code: "column-splits-wrong-dimension",
    requires: "A column-parallel weight [in, out] is split along dimension 1.",
    bad: layers({ a: [{ ...column, parallel: { kind: "column", splitDim: 0, gpus: [0, 1] } }] }),
    good: chain,
  },
  {
    code: "column-split-correct",
    requires: "Confirms a column split along the output.",
    bad: chain,
    good: single([whole(0)]),
  },
  {
    code: "row-splits-wrong-dimension",
    requires: "A row-parallel weight [in, out] is split along dimension 0.",
    bad: layers({ b: [{ ...row, parallel: { kind: "row", splitDim: 1, gpus: [1, 2] } }] }),
    good: chain,
  },
  {
    code: "row-split-correct",
    requires: "Confirms a row split along the input.",
    bad: chain,
    good: single([whole(0)]),
  },
  {
    code: "parallel-kind-does-not-fit-layer",
    requires:
      "Column and row split one weight; layers of several weights are tensor-, data- or expert-parallel.",
    bad: single([{ op: "mlp", hidden: 8, ffn: 16, parallel: { kind: "column", gpus: [0, 1] } }]),
    good: single([{ op: "mlp", hidden: 8, ffn: 16, parallel: { kind: "tensor", gpus: [0, 1] } }]),
  },
  {
    code: "degree-does-not-match-gpus",
    requires: "A stated degree is the number of GPUs listed.",
    bad: layers({ a: [{ ...column, parallel: { kind: "column", degree: 3, gpus: [0, 1] } }] }),
    good: layers({ a: [{ ...column, parallel: { kind: "column", degree: 2, gpus: [0, 1] } }] }),
  },
  {
    code: "replicas-do-not-match-gpus",
    requires: "Replicas share the listed GPUs evenly.",
    bad: single([on("data", [0, 1, 2], { replicas: 2 })]),
    good: single([on("data", [0, 1, 2], { replicas: 3 })]),
  },
  {
    code: "replicas-differ-in-size",
    requires: "All data replicas of a layer have as many GPUs.",
    bad: single([on("data", [[0, 1], [2]])]),
    good: single([on("data", [[0], [2]])]),
  },
  {
    code: "communication-members-valid",
    requires: "Confirms that communications join GPUs of the stages on both sides.",
    bad: chain,
    good: stages({ communications: [{ ...gather, from: [0, 2] }, reduce] }),
  },
  {
    code: "communication-member-not-in-stage",
    requires: "What leaves a stage leaves its GPUs, what arrives arrives at GPUs of the next.",
    bad: stages({ communications: [{ ...gather, from: [0, 2] }, reduce] }),
    good: chain,
  },
  {
    code: "communication-reversed",
    requires: "A communication goes from the earlier stage to the later.",
    bad: two({ ...send, from: [1], to: [0] }),
    good: two(send),
  },
  {
    code: "broadcast-needs-one-source",
    requires: "A broadcast has one source.",
    bad: stages({ communications: [{ ...gather, op: "broadcast" }, reduce] }),
    good: two({ ...send, op: "broadcast" }),
  },
  {
    code: "name-used-twice",
    requires: "Stages have names of their own, and so have communications.",
    bad: stages({ communications: [gather, { ...reduce, name: "ab" }] }),
    good: chain,
  },
  {
    code: "communication-fits-split",
    requires: "Confirms that a communication is what the split before it needs.",
    bad: chain,
    good: single([whole(0)]),
  },
  {
    code: "column-result-not-gathered",
    requires:
      "A column-parallel result is gathered, or consumed by a row-parallel layer on the same GPUs.",
    bad: stages({ communications: [{ ...gather, op: "all-reduce" }, reduce] }),
    good: chain,
  },
  {
    code: "row-result-not-reduced",
    requires: "Row-parallel partial sums are reduced before they are used.",
    bad: stages({ communications: [gather] }),
    good: chain,
  },
  {
    code: "stages-not-connected",
    requires:
      "A result is brought to every GPU that the next stage needs it on: no rank waits for what nobody sends.",
    bad: two(undefined),
    good: two(send),
  },
  {
    code: "communication-does-not-fit-result",
    requires: "A communication takes what the stage leaves.",
    bad: two({ ...send, op: "all-gather", from: [0, 1] }, on("replicated", [0, 1]), whole(2)),
    good: two({ ...send, from: [0, 1], to: [2] }, on("replicated", [0, 1]), whole(2)),
  },
  {
    code: "communication-of-several-groups",
    requires: "A communication starts from one group.",
    bad: two(
      { ...send, op: "all-gather" },
      on("data", [
        [0, 1],
        [2, 3],
      ]),
      whole(1),
    ),
    good: two(send),
  },
  {
    code: "communication-source-differs",
    requires: "A communication starts from the GPUs that hold the result, in their order.",
    bad: stages({ communications: [{ ...gather, from: [1, 0] }, reduce] }),
    good: chain,
  },
  {
    code: "communication-misses-gpu",
    requires:
      "A communication reaches every GPU of the next layer: no rank waits for what nobody sends.",
    bad: stages({ communications: [{ ...gather, to: [1] }, reduce] }),
    good: chain,
  },
  {
    code: "rows-not-gathered",
    requires: "Rows that a communication leaves divided are what the next layer takes.",
    bad: stages({ communications: [{ ...gather, op: "all-to-all" }, reduce] }),
    good: chain,
  },
  {
    code: "communication-useless",
    requires: "A communication brings something to where it is not yet.",
    bad: two({ ...send, to: [0] }, whole(0), whole(0)),
    good: two(send),
  },
  {
    code: "communication-cycle",
    requires: "No communications bring a result back to where it was.",
    bad: stages({
      stages: [
        { name: "a", layers: [whole(0)] },
        { name: "b", layers: [whole(0)] },
      ],
      communications: [
        { ...send, after: "a" },
        { name: "ba", op: "send", from: [1], to: [0], after: "a" },
      ],
    }),
    good: two(send),
  },
  {
    code: "communication-payload-differs",
    requires: "A stated payload is rows × columns × bytes of one micro-batch.",
    bad: stages({ communications: [{ ...gather, payload: 100 }, reduce] }),
    good: stages({ communications: [{ ...gather, payload: 144 }, reduce] }),
  },
  {
    code: "communication-payload-fits",
    requires: "Confirms a stated payload.",
    bad: stages({ communications: [{ ...gather, payload: 144 }, reduce] }),
    good: chain,
  },
  {
    code: "tensor-degree-does-not-match-group",
    requires: "A tensor group has exactly as many GPUs as its degree.",
    bad: degrees({ ...three, parallel: { tensorGroup: [0, 1, 2] } }),
    good: degrees({ parallel: { tensorGroup: [0, 1] } }),
  },
  {
    code: "tensor-group-matches-degree",
    requires: "Confirms that a tensor group has as many GPUs as its degree.",
    bad: degrees({ parallel: { tensorGroup: [0, 1] } }),
    good: sound,
  },
  {
    code: "tensor-group-contradicts-distribution",
    requires: "Two lists of the tensor group name the same GPUs.",
    bad: degrees({
      ...three,
      parallel: { tensorGroup: [1, 2] },
      tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_up_1"] },
    }),
    good: degrees({
      parallel: { tensorGroup: [0, 1] },
      tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_up_1"] },
    }),
  },
  {
    code: "named-group-needs-one-mesh",
    requires: "Groups are named only where there is one: without pipeline and data degrees.",
    bad: degrees({ hardware: { gpus: 4 }, parallel: { data: 2, tensorGroup: [0, 1] } }),
    good: degrees({ parallel: { tensorGroup: [0, 1] } }),
  },
  {
    code: "distribution-without-degrees",
    requires: "A distribution stands beside degrees.",
    bad: stages({ tensor_parallel_distribution: { gpu_0: ["mlp_up_0"] } }),
    good: chain,
  },
  {
    code: "distribution-key-names-no-gpu",
    requires: "Keys of a distribution are gpu_0, or gpu_0_gpu_1.",
    bad: degrees({ tensor_parallel_distribution: { first: ["mlp_up_0"] } }),
    good: degrees({ tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_up_1"] } }),
  },
  {
    code: "distribution-forms-mixed",
    requires: "A distribution is by GPU or by group.",
    bad: degrees({
      tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: { mlp: ["up_1"] } },
    }),
    good: degrees({ tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_up_1"] } }),
  },
  {
    code: "tensor-shard-missing",
    requires: "Every module has a shard for every tensor rank.",
    bad: degrees({ tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_down_1"] } }),
    good: degrees({ tensor_parallel_distribution: { gpu_0: ["mlp_up_0"], gpu_1: ["mlp_up_1"] } }),
  },
  {
    code: "load-per-gpu",
    requires: "Tells how heavily each GPU is loaded.",
    bad: sound,
    good: degrees({ hardware: { gpus: 1 }, parallel: { tensor: 1, expert: 1 } }),
  },
  {
    code: "gpu-underused",
    requires: "No GPU that works has less than half of the average arithmetic.",
    bad: single([on("replicated", [0, 1]), mean]),
    good: sound,
  },
  {
    code: "single-data-replica",
    requires: "Data parallelism has more than one replica.",
    bad: layers({ c: [{ ...mean, parallel: { kind: "data", gpus: [2] } }] }),
    good: chain,
  },
];
