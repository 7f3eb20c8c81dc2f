// What no run of a program can have recorded of its adapters, kernels, memory and check.

import { softwareIdOf } from "../gpu/software_names.ts";
import { kernels } from "../kernels/catalog.ts";
import type { Kernel } from "../kernels/kernel.ts";
import type { KernelGroups } from "../measure/kernel_groups.ts";
import { ranksSharing } from "../measure/separation.ts";
import type { Estimate } from "../program/estimate.ts";
import { workKey } from "../program/kernel_work.ts";
import { stepOf } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { firstDifference } from "../result/first_difference.ts";
import type { ResultSources } from "../result/result_schema.ts";
import { lookAlikes } from "./separate_adapters.ts";

/** As `contradictions` of samples. */
export function recordContradictions(
  program: Program,
  estimated: Estimate,
  groups: KernelGroups,
  sources: ResultSources,
  now: number = Date.now(),
): string[] {
  return [
    ...inAdapters(program, sources),
    ...inSeparation(sources),
    ...inMemory(estimated, sources),
    ...inCalibration(sources),
    ...inChoices(groups, sources),
    ...inProjection(program, sources),
    ...inRuns(sources),
    ...(Date.parse(sources.date) <= now + dayMs ? [] : ["date lies in the future"]),
  ];
}

/** Clocks of machines differ, their time zones too. */
const dayMs = 24 * 3600 * 1000;

function inAdapters(program: Program, { adapters, separation }: ResultSources): string[] {
  if (adapters.length !== program.ranks.length || adapters.some(({ rank }, i) => rank !== i)) {
    return [`adapters are not one for each of ${program.ranks.length} ranks`];
  }
  const sharing = ranksSharing(adapters, separation);
  return adapters.flatMap((adapter, rank) => {
    const path = `adapters.${rank}`;
    const { name, device, driver, architecture, software } = adapter;
    const known = softwareIdOf([name, device, driver, architecture].join(" "));
    const twin = adapters.find(({ id }) => id === adapter.id);
    return [
      ...(known === undefined || software
        ? []
        : [`${path} is called hardware, and names itself ${known}, which computes on the CPU`]),
      ...(firstDifference(ownPart(twin), ownPart(adapter)) === undefined
        ? []
        : [`${path} differs from rank ${twin?.rank}'s, which is the same adapter`]),
      ...(firstDifference(adapter.sharedWith, sharing[rank]) === undefined
        ? []
        : [`${path}.sharedWith is not the ranks that may be on the same GPU`]),
    ];
  });
}

/** What ranks on one adapter have in common. */
function ownPart(adapter: ResultSources["adapters"][number] | undefined): unknown {
  if (adapter === undefined) return undefined;
  const { rank: _, core: __, sharedWith: ___, machine: ____, ...own } = adapter;
  return own;
}

/** Those were tested that look alike, and no time is negative. */
function inSeparation({ adapters, separation }: ResultSources): string[] {
  if (separation === undefined) return [];
  const tested = lookAlikes(adapters).map(({ id }) => id);
  return [
    ...(firstDifference(separation.adapters, tested) === undefined
      ? []
      : ["separation is not of the adapters that look alike"]),
    ...(separation.together.flat().every(({ startMs, endMs }) => endMs > startMs)
      ? []
      : ["separation.together has a turn that ends before it begins"]),
  ];
}

function inMemory({ ranks }: Estimate, { memory }: ResultSources): string[] {
  if (memory.length !== ranks.length) return [`memory is not told of ${ranks.length} ranks`];
  return memory.flatMap(({ rank, allocatedBytes, peakBytes }, i) => {
    const needed = ranks[i]?.memoryBytes;
    return [
      ...(rank === ranks[i]?.rank && allocatedBytes === needed
        ? []
        : [`memory.${i}.allocatedBytes is ${allocatedBytes}, and the program needs ${needed}`]),
      ...(peakBytes >= allocatedBytes ? [] : [`memory.${i}.peakBytes is less than was allocated`]),
    ];
  });
}

function inCalibration({ calibration, adapters }: ResultSources): string[] {
  const placed = new Set(adapters.map(({ id }) => id));
  const seen = new Set<string>();
  return calibration.flatMap(({ adapter }, i) => {
    const repeated = seen.has(adapter);
    seen.add(adapter);
    return [
      ...(placed.has(adapter) ? [] : [`calibration.${i} is of ${adapter}, which no rank is on`]),
      ...(repeated ? [`calibration.${i} is a second one of ${adapter}`] : []),
    ];
  });
}

/** Each kernel of the program has its choice, of a variant that computes it. */
function inChoices({ groups }: KernelGroups, { kernels: choices }: ResultSources): string[] {
  const byWork = new Map(groups.map((group) => [`${group.adapter} ${workKey(group)}`, group]));
  return [
    ...(choices.length === groups.length
      ? []
      : [`kernels are ${choices.length}, and the program has ${groups.length}`]),
    ...choices.flatMap((choice, i) => {
      const group = byWork.get(`${choice.adapter} ${workKey(choice)}`);
      if (group === undefined) return [`kernels.${i} is none of the program's`];
      const { uses, flops, ranks, variant } = choice;
      return [
        ...(uses === group.uses &&
        flops === group.flops &&
        firstDifference(ranks, group.ranks) === undefined
          ? []
          : [`kernels.${i} has other uses, ranks or FLOPs than the program's`]),
        ...(shadersOf(choice.kernel).includes(variant.split(" ", 1)[0] ?? "")
          ? []
          : [`kernels.${i}.variant ${variant} does not compute ${choice.kernel}`]),
      ];
    }),
  ];
}

function shadersOf(name: string): string[] {
  const all: Readonly<Record<string, Pick<Kernel<never>, "name" | "shader" | "alternatives">>> =
    kernels;
  const kernel = all[name];
  if (kernel === undefined) return [];
  return [
    kernel.shader ?? kernel.name,
    ...(kernel.alternatives ?? []).map((alternative) => alternative.name),
  ];
}

/** Samples are of the runs that are told of. */
function inRuns({ runs, samples }: ResultSources): string[] {
  const seen = new Set(samples.map(({ run }) => run)).size;
  return seen === runs.length ? [] : [`runs are ${runs.length}, and samples are of ${seen}`];
}

/** Every instruction of every rank was timed alone; of serving those of a decode step. */
function inProjection(whole: Program, { projection }: ResultSources): string[] {
  const program = stepOf(whole);
  return (projection?.from.repeats ?? []).flatMap((ranks, i) =>
    ranks.length === program.ranks.length &&
    program.ranks.every(
      ({ instructions }, rank) => ranks[rank]?.instructions.length === instructions.length,
    )
      ? []
      : [`projection.from.repeats.${i} does not time the program's instructions`],
  );
}
