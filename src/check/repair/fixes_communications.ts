// Ways out of communications that are missing, of another kind than needed, or between other GPUs.

import { type Path, valueAt } from "../../plan/document.ts";
import { drop, type Faulty, type Fix, type Proposal, put } from "./fix.ts";

const setTo = (faulty: Faulty, path: Path, value: unknown, description: string): Proposal => ({
  patch: [put(faulty, path, value)],
  description,
  consequence: "the result reaches the next stage",
});

/** The ids between brackets. */
const idsIn = (list = ""): number[] => [...list.matchAll(/\d+/g)].map(([id]) => Number(id));

/** "declare an all-gather from [0, 1] to [1, 2]" is done as it is said. */
const declared: Fix = (faulty, { path, hint = "" }) => {
  const [, op, from, to] =
    /declare an? ([a-z-]+) from \[([\d, ]+)\] to \[([\d, ]+)\]/.exec(hint) ?? [];
  const stage = faulty.written?.stages?.[Number(path[1])];
  if (op === undefined || stage === undefined) return [];
  const taken = new Set((faulty.written?.communications ?? []).map(({ name }) => name));
  const base = `${stage.name}_${op}`;
  const item = {
    name: taken.has(base) ? `${base}_${String(path[1])}` : base,
    op,
    from: idsIn(from),
    to: idsIn(to),
    after: stage.name,
  };
  const hasList = faulty.written?.communications !== undefined;
  const asOp = (other: string): Proposal => ({
    patch: [
      hasList
        ? { op: "add", path: "/communications/-", value: { ...item, op: other } }
        : put(faulty, ["communications"], [{ ...item, op: other }]),
    ],
    description: `${item.name} is a new ${other} from GPUs ${idsIn(from).join(", ")} to ${idsIn(to).join(", ")}`,
    consequence: "the result is moved between the stages",
  });
  return op === "send" ? [asOp("send"), asOp("broadcast")] : [asOp(op)];
};

/** "use all-gather or all-to-all" */
const otherOp: Fix = (faulty, { path, hint = "" }) =>
  hint
    .replace(/^use /, "")
    .split(" or ")
    .map((op) => setTo(faulty, path, op, `the communication is now a ${op}`));

/** Missing communications point at a stage, unfit ones at their op. */
const missingOrOther: Fix = (faulty, diagnostic) =>
  diagnostic.path[0] === "stages" ? declared(faulty, diagnostic) : otherOp(faulty, diagnostic);

const swapped: Fix = (faulty, { path }) => {
  const from = valueAt(faulty.value, [...path, "from"]);
  const to = valueAt(faulty.value, [...path, "to"]);
  return [
    {
      patch: [put(faulty, [...path, "from"], to), put(faulty, [...path, "to"], from)],
      description: "from and to are swapped",
      consequence: "it goes with the order of the stages",
    },
  ];
};

const sourceDiffers: Fix = (faulty, { path, hint = "" }) => {
  const holders = idsIn(hint);
  return [setTo(faulty, path, holders, `it starts from GPUs ${holders.join(", ")}`)];
};

const missesGpu: Fix = (faulty, { path, message }) => {
  const before = valueAt(faulty.value, path);
  const missed = idsIn(/on GPU ([\d, ]+), where/.exec(message)?.[1]);
  if (!Array.isArray(before)) return [];
  const to: unknown[] = [...before, ...missed];
  return [setTo(faulty, path, to, `it also goes to GPU ${missed.join(", ")}`)];
};

const stranger: Fix = (faulty, { path, hint = "" }) => {
  const members = idsIn(/stage: ([\d, ]+)/.exec(hint)?.[1]);
  const list = path.slice(0, -1);
  return [
    setTo(
      faulty,
      list,
      members,
      `${String(list.at(-1))} now names the stage's GPUs ${members.join(", ")}`,
    ),
    {
      patch: [drop(path)],
      description: "the GPU is left out of the communication",
      consequence: "only members of the stage take part",
    },
  ];
};

const afterNoStage: Fix = (faulty, { path }) => {
  const stages = faulty.written?.stages ?? [];
  return [
    ...stages
      .slice(0, -1)
      .slice(0, 8)
      .map(({ name }) =>
        setTo(faulty, [...path.slice(0, 2), "after"], name, `it follows stage ${name}`),
      ),
    {
      patch: [drop(path.slice(0, 2))],
      description: "it is left out",
      consequence: "nothing is moved there",
    },
  ];
};

const leftOut: Fix = (_faulty, { path }) => [
  {
    patch: [drop(path.slice(0, 2))],
    description: "the communication is left out",
    consequence: "nothing is moved twice",
  },
];

/** All communications after the same stage, last first, so that indices hold. */
const allLeftOut: Fix = ({ plan }, { path }) => {
  const after = plan?.communications[Number(path[1])]?.after;
  const indices = (plan?.communications ?? []).flatMap((each, i) =>
    each.after === after ? [i] : [],
  );
  return [
    {
      patch: indices.toReversed().map((i) => drop(["communications", i])),
      description: "the communications between these stages are left out",
      consequence: "the result stays where it is",
    },
  ];
};

export const communicationFixes: Readonly<Record<string, Fix>> = {
  "column-result-not-gathered": missingOrOther,
  "row-result-not-reduced": missingOrOther,
  "stages-not-connected": declared,
  "communication-does-not-fit-result": (faulty, diagnostic) => [
    ...otherOp(faulty, diagnostic),
    ...leftOut(faulty, diagnostic),
  ],
  "communication-source-differs": sourceDiffers,
  "communication-misses-gpu": missesGpu,
  "communication-member-not-in-stage": stranger,
  "communication-reversed": swapped,
  "communication-cycle": (faulty, diagnostic) => [
    ...leftOut(faulty, diagnostic),
    ...allLeftOut(faulty, diagnostic),
  ],
  "communication-after-no-stage": afterNoStage,
  "rows-not-gathered": (faulty, { path }) => [
    setTo(faulty, path, "all-reduce", "the communication is now an all-reduce"),
    setTo(faulty, path, "all-gather", "the communication is now an all-gather"),
  ],
  "broadcast-needs-one-source": (faulty, { path }) => {
    const from = valueAt(faulty.value, path);
    return [
      setTo(faulty, [...path.slice(0, 2), "op"], "send", "the communication is now a send"),
      ...(Array.isArray(from) ? [setTo(faulty, path, from.slice(0, 1), "one GPU sends")] : []),
    ];
  },
};
