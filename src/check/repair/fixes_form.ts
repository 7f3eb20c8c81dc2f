// Ways out of faults of form: misspelt keys, parts that exclude one another.

import { valueAt } from "../../plan/document.ts";
import { gpuNamed } from "../../plan/gpu_names.ts";
import { drop, type Fix, pointer, put } from "./fix.ts";

/** The words in quotes after "did you mean". */
const suggestionIn = (hint = ""): string | undefined => /^did you mean "(.+)"\?$/.exec(hint)?.[1];

const unknownKey: Fix = (faulty, { path, hint }) => {
  const meant = suggestionIn(hint);
  const to = [...path.slice(0, -1), meant ?? ""];
  const leaveOut = {
    patch: [drop(path)],
    description: `${path.join(".")} is left out`,
    consequence: "what it said is lost",
  };
  if (meant === undefined || valueAt(faulty.value, to) !== undefined) return [leaveOut];
  const rename = {
    patch: [{ op: "move", from: pointer(path), path: pointer(to) } as const],
    description: `${path.join(".")} is now named ${meant}`,
    consequence: "its value is read as it stands",
  };
  return [rename, leaveOut];
};

const invalidValue: Fix = (faulty, { path, hint }) => {
  const meant = suggestionIn(hint);
  return meant === undefined
    ? []
    : [
        {
          patch: [put(faulty, path, meant)],
          description: `${path.join(".")} is now ${meant}`,
          consequence: "the nearest known word is used",
        },
      ];
};

const wrongType: Fix = (faulty, { path }) => {
  const found = valueAt(faulty.value, path);
  const number = typeof found === "string" && found.trim() !== "" ? Number(found) : Number.NaN;
  return Number.isFinite(number)
    ? [
        {
          patch: [put(faulty, path, number)],
          description: `${path.join(".")} is now the number ${number}`,
          consequence: "nothing else changes",
        },
      ]
    : [];
};

/** Each GPU that the name can mean; else the plan's own figures decide. */
const gpuName: Fix = (faulty, { path }) => {
  const named = gpuNamed(String(valueAt(faulty.value, path)));
  const names = "candidates" in named ? named.candidates : "meant" in named ? named.meant : [];
  return [
    ...names.map((name) => ({
      patch: [put(faulty, path, name)],
      description: `${path.join(".")} is now ${name}`,
      consequence: "its datasheet gives the figures that the plan does not",
    })),
    {
      patch: [drop(path)],
      description: `${path.join(".")} is left out`,
      consequence: "figures that the plan does not give are unknown",
    },
  ];
};

/** A share of 95 means 0.95. */
const outOfRange: Fix = (faulty, { path }) => {
  const found = valueAt(faulty.value, path);
  return path[0] === "claims" && typeof found === "number" && found > 1 && found <= 100
    ? [
        {
          patch: [put(faulty, path, found / 100)],
          description: `${path.join(".")} is now ${found / 100}`,
          consequence: `${found} is read as per cent`,
        },
      ]
    : [];
};

const without =
  (consequence: string): Fix =>
  (_faulty, { path }) => [
    { patch: [drop(path)], description: `${path.join(".")} is left out`, consequence },
  ];

const twoForms: Fix = ({ value }, { path }) => [
  {
    patch: [drop(path)],
    description: `${path.join(".")} is left out`,
    consequence: "the explicit stages decide",
  },
  {
    patch: [
      drop(["stages"]),
      ...(valueAt(value, ["communications"]) === undefined ? [] : [drop(["communications"])]),
    ],
    description: "stages and communications are left out",
    consequence: "stages follow from the model and the degrees",
  },
];

export const formFixes: Readonly<Record<string, Fix>> = {
  "unknown-key": unknownKey,
  "invalid-value": invalidValue,
  "wrong-type": wrongType,
  "out-of-range": outOfRange,
  "gpu-unknown": gpuName,
  "gpu-ambiguous": gpuName,
  "plan-has-two-forms": twoForms,
  "communications-without-stages": without("communications follow from the degrees"),
  "distribution-without-degrees": without("the layers' own lists decide"),
  "distribution-key-names-no-gpu": without("the modules it lists are placed by the degrees"),
  "named-group-needs-one-mesh": without("groups follow from the degrees"),
  "sequence-parallel-needs-tensor": without("every rank computes whole norms"),
  "data-shard-does-not-divide-data": without("all data replicas share the shards"),
  "data-shard-needs-zero": without("every data replica holds all of the state"),
  "data-shard-splits-expert-groups": without("all data replicas share the shards"),
  "tensor-does-not-divide-sequence": (faulty) => [
    {
      patch: [drop(["parallel", "sequence"])],
      description: "parallel.sequence is left out",
      consequence: "every tensor rank computes whole norms",
    },
    ...(faulty.plan?.degrees === undefined
      ? []
      : [
          {
            patch: [
              put(
                faulty,
                ["workload", "sequence"],
                Math.ceil(faulty.plan.workload.sequence / faulty.plan.degrees.tensor) *
                  faulty.plan.degrees.tensor,
              ),
            ],
            description: "workload.sequence is rounded up to a multiple of the tensor degree",
            consequence: "sequences are longer, or padded",
          },
        ]),
  ],
  "interleaving-needs-pipeline": without("pipeline ranks are not interleaved"),
  "selective-recompute-takes-no-method": without("attention is recomputed in every layer"),
  "expert-degree-without-experts": without("the model has no experts to spread"),
  "communication-payload-differs": without("the payload follows from the layers"),
  "full-recompute-needs-method": (faulty) => [
    {
      patch: [
        put(faulty, ["workload", "recompute"], {
          granularity: "full",
          method: "uniform",
          layers: 1,
        }),
      ],
      description: "every layer is recomputed on its own (uniform, 1)",
      consequence: "least memory, one more forward pass",
    },
    {
      patch: [put(faulty, ["workload", "recompute"], { granularity: "selective" })],
      description: "recomputation is selective",
      consequence: "only attention is recomputed: more memory, less time",
    },
  ],
};
