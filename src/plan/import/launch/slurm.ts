// Slurm: nodes, tasks and GPUs, from `srun` and from the #SBATCH lines of a job script.

import type { Given, Launch, Word } from "../invocation.ts";
import { type LauncherOptions, times } from "./launch.ts";
import { optionsOf } from "./options.ts";

export const slurmOptions = optionsOf(
  `-A --account -N --nodes -n --ntasks --ntasks-per-node -c --cpus-per-task -G --gpus --gpus-per-node
   --gpus-per-task --gres -p --partition -t --time -J --job-name -o --output -e --error -w --nodelist -x
   --exclude --mem --mem-per-gpu --mem-per-cpu -q --qos -C --constraint -D --chdir --container-image
   --container-mounts --container-name --container-workdir --container-env --export --mpi --cpu-bind
   --gpu-bind --distribution -m --signal --reservation --mail-type --mail-user --array -a --dependency -d
   --comment --jobid --het-group --open-mode --input -i --network --wait -W --switches --nice`,
  `--exclusive --overlap --requeue --no-requeue -l --label -u --unbuffered -v --pty --no-container-mount-home
   -K --kill-on-bad-exit --container-remap-root --container-writable -H --hold --contiguous`,
);

/** What options say, on top of what the job around them does. */
export function slurmLaunch(
  options: LauncherOptions,
  job: Pick<Launch, "nodes" | "ranks" | "gpus">,
  tasksPerNodeOfJob?: Given,
): Pick<Launch, "nodes" | "ranks" | "gpus"> & { readonly tasksPerNode?: Given } {
  const range = options.value("-N", "--nodes");
  // A range of nodes, such as 2-4, is not a number of nodes.
  const nodes = range?.text.includes("-") === true ? undefined : options.count("-N", "--nodes");
  const perNode = options.count("--ntasks-per-node") ?? tasksPerNodeOfJob;
  const tasks = options.count("-n", "--ntasks");
  const allNodes = nodes ?? job.nodes;
  const ranks = tasks ?? times(perNode, allNodes ?? one(perNode)) ?? job.ranks;
  const gpusPerNode =
    devices(options.value("--gpus-per-node")) ?? devices(options.value("--gres"), "gpu");
  const perTask = devices(options.value("--gpus-per-task"));
  const gpus =
    devices(options.value("-G", "--gpus")) ??
    times(gpusPerNode, allNodes ?? one(gpusPerNode)) ??
    times(perTask, ranks) ??
    job.gpus;
  return {
    ...(allNodes === undefined ? {} : { nodes: allNodes }),
    ...(ranks === undefined ? {} : { ranks }),
    ...(gpus === undefined ? {} : { gpus }),
    ...(perNode === undefined ? {} : { tasksPerNode: perNode }),
  };
}

function one(like: Given | undefined): Given | undefined {
  return like && { count: 1, offset: like.offset };
}

/** `8`, `h100:8`, and of --gres `gpu:8` and `gpu:h100:8`. */
function devices(word: Word | undefined, kind?: string): Given | undefined {
  if (word === undefined) return undefined;
  const listed = word.text.split(",").find((each) => kind === undefined || each.startsWith(kind));
  const count = Number(listed?.split(":").at(-1) || Number.NaN);
  if (listed === kind) return { count: 1, offset: word.offset };
  return Number.isInteger(count) && count > 0 ? { count, offset: word.offset } : undefined;
}

/** The words of the #SBATCH lines at the head of a script; those after its first command do not count. */
export function sbatchWords(text: string): Word[] {
  const words: Word[] = [];
  for (const { 0: line, index } of text.matchAll(/[^\n]*\n?/g)) {
    if (line.trim() !== "" && !line.startsWith("#")) break;
    if (!line.startsWith("#SBATCH")) {
      if (line === "") break;
      continue;
    }
    const body = line.slice("#SBATCH".length);
    for (const { 0: word, index: at } of body.matchAll(/\S+/g)) {
      // The rest of the line is a comment.
      if (word.startsWith("#")) break;
      words.push({ text: word, offset: index + "#SBATCH".length + at });
    }
  }
  return words;
}

/** What Slurm tells the script of itself, as far as its own lines say it. */
export function slurmVariables({
  nodes,
  ranks,
  gpus,
  tasksPerNode,
}: ReturnType<typeof slurmLaunch>): ReadonlyMap<string, Given> {
  const perNode =
    gpus && nodes && gpus.count % nodes.count === 0 ? gpus.count / nodes.count : undefined;
  const onNode =
    gpus && perNode !== undefined ? { count: perNode, offset: gpus.offset } : undefined;
  const tasks = ranks ?? nodes;
  const named: readonly (readonly [readonly string[], Given | undefined])[] = [
    [["SLURM_NNODES", "SLURM_JOB_NUM_NODES"], nodes],
    [["SLURM_NTASKS", "SLURM_NPROCS"], tasks],
    [["SLURM_NTASKS_PER_NODE", "SLURM_TASKS_PER_NODE"], tasksPerNode],
    [["SLURM_GPUS_ON_NODE", "SLURM_GPUS_PER_NODE"], onNode],
    [["SLURM_GPUS"], gpus],
  ];
  return new Map(
    named.flatMap(([names, given]) =>
      given === undefined ? [] : names.map((name) => [name, given] as const),
    ),
  );
}
