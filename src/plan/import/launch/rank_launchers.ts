// Launchers that start one program per rank, and what their options say of ranks and GPUs.

import { isCount } from "../fields.ts";
import type { Given, Launch, Word } from "../invocation.ts";
import { type LauncherOptions, listedDevices, times } from "./launch.ts";
import type { ShellVariables, Launcher } from "./launcher.ts";
import { optionsOf } from "./options.ts";
import { slurmLaunch, slurmOptions } from "./slurm.ts";

export const torchrun: Launcher = {
  ...optionsOf(
    `--nproc-per-node --nnodes --node-rank --master-addr --master-port --rdzv-id --rdzv-backend
     --rdzv-endpoint --rdzv-conf --max-restarts --monitor-interval --start-method --log-dir -r --redirects
     -t --tee --local-ranks-filter --role --local-addr --logs-specs --numa-binding`,
    "--standalone --no-python --run-path --use-env -m --module",
  ),
  python: true,
  launch: (options, outer, environment) => {
    const nodes = elastic(options, "--nnodes") ?? countIn(environment("PET_NNODES"));
    const perNode =
      ranksPerNode(options, outer, environment) ?? countIn(environment("PET_NPROC_PER_NODE"));
    const here: Given | undefined = perNode && { count: 1, offset: perNode.offset };
    const ranks = times(perNode, nodes ?? here);
    return { ...(ranks === undefined ? {} : { ranks }), ...(nodes === undefined ? {} : { nodes }) };
  },
};

/** `--nproc-per-node gpu` is as many as a machine has; where the text does not say how many, it is asked for. */
function ranksPerNode(
  options: LauncherOptions,
  { gpus, nodes }: Launch,
  environment: ShellVariables,
): Given | undefined {
  const word = options.value("--nproc-per-node");
  if (!/^(gpu|auto|xpu|npu)$/.test(word?.text ?? "")) return options.count("--nproc-per-node");
  const devices = environment("CUDA_VISIBLE_DEVICES");
  const visible = devices && listedDevices(devices.text);
  if (devices !== undefined && visible !== undefined) {
    return { count: visible, offset: devices.offset };
  }
  const machines = nodes?.count ?? 1;
  if (gpus !== undefined && gpus.count % machines === 0) {
    return { count: gpus.count / machines, offset: gpus.offset };
  }
  options.refuse(
    `--nproc-per-node ${word?.text} is the number of GPUs of a machine, which the text does not say`,
    word?.offset ?? 0,
    "write the number in its place, as in --nproc-per-node 8",
  );
  return undefined;
}

function countIn(word: Word | undefined): Given | undefined {
  const count = Number(word?.text || Number.NaN);
  return word !== undefined && isCount(count) ? { count, offset: word.offset } : undefined;
}

/** `2:4` is from two to four nodes: the fewest are those that are there. */
function elastic(options: LauncherOptions, name: string): Given | undefined {
  const word = options.value(name);
  const [, fewest, most] = /^(\d+):(\d+)$/.exec(word?.text ?? "") ?? [];
  if (word === undefined || fewest === undefined) return options.count(name);
  if (fewest !== most) {
    const hint = "give the number of nodes to count with another";
    options.report(
      `${name} ${word.text} is a range; the plan has ${fewest} nodes`,
      word.offset,
      hint,
    );
  }
  return { count: Number(fewest), offset: word.offset };
}

export const accelerate: Launcher = {
  ...optionsOf(
    `--num-processes --num-machines --machine-rank --main-process-ip --main-process-port
     --mixed-precision --config-file --gpu-ids --deepspeed-config-file --zero-stage --dynamo-backend
     --gradient-accumulation-steps --gradient-clipping --offload-optimizer-device --offload-param-device
     --deepspeed-hostfile --deepspeed-multinode-launcher --rdzv-backend --rdzv-conf --num-cpu-threads-per-process
     --fsdp-sharding-strategy --fsdp-version --fsdp-auto-wrap-policy --fsdp-transformer-layer-cls-to-wrap
     --fsdp-state-dict-type --fsdp-offload-params --fsdp-reshard-after-forward --fsdp-use-orig-params
     --fsdp-cpu-ram-efficient-loading --fsdp-sync-module-states --fsdp-activation-checkpointing
     --fsdp-backward-prefetch --megatron-lm-tp-degree --megatron-lm-pp-degree
     --megatron-lm-num-micro-batches --parallelism-config-tp-size --parallelism-config-dp-shard-size
     --parallelism-config-dp-replicate-size --parallelism-config-cp-size`,
    `--multi-gpu --use-deepspeed --use-fsdp --cpu --debug -m --module --no-python --same-network
     --use-megatron-lm --use-parallelism-config --quiet -q`,
  ),
  verbs: ["launch"],
  python: true,
  launch: (options) => {
    const ids = options.value("--gpu-ids")?.text ?? "all";
    const listed = ids === "all" ? undefined : listedDevices(ids);
    const gpus = listed === undefined ? undefined : { count: listed, offset: 0 };
    const ranks = options.count("--num-processes") ?? gpus;
    const nodes = options.count("--num-machines");
    return { ...(ranks === undefined ? {} : { ranks }), ...(nodes === undefined ? {} : { nodes }) };
  },
};

export const deepspeed: Launcher = {
  ...optionsOf(
    `--num-gpus --num-nodes -H --hostfile -i --include -e --exclude --master-addr --master-port
     --launcher --launcher-args --elastic-training --min-elastic-nodes --max-elastic-nodes --node-rank
     --autotuning --ssh-port --venv-script`,
    "--module --no-python --no-local-rank --no-ssh --force-multi --bind-cores-to-rank --enable-each-rank-log",
  ),
  python: true,
  launch: (options) => {
    const include = options.value("-i", "--include");
    const listed = include === undefined ? undefined : includedGpus(include.text);
    if (include !== undefined && listed !== undefined) {
      return { ranks: { count: listed, offset: include.offset } };
    }
    const perNode = options.count("--num-gpus");
    const nodes = options.count("--num-nodes") ?? (perNode && { count: 1, offset: perNode.offset });
    const ranks = times(perNode, nodes);
    return ranks === undefined ? {} : { ranks };
  },
};

/** `worker-0:0,1@worker-1:0,1`; undefined where a host has no list. */
function includedGpus(text: string): number | undefined {
  const perHost = text.split("@").map((host) => /^[^:]+:(\d+(?:,\d+)*)$/.exec(host)?.[1]);
  const counts = perHost.map((ids) => ids?.split(",").length ?? Number.NaN);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return Number.isNaN(total) ? undefined : total;
}

export const mpirun: Launcher = {
  ...optionsOf(
    `-n -np --n --np -c -H -host --host -hostfile --hostfile --machinefile -machinefile -f -N -npernode
     --npernode --map-by -map-by --bind-to -bind-to --rank-by -x -mca --mca -ppn --ppn -perhost -wdir --wdir
     --prefix --timeout -env -genv --report-bindings-to --output-filename --tag-output-to --launch-agent`,
    "--allow-run-as-root --oversubscribe --report-bindings --tag-output -v --verbose -q --bind-to-none",
  ),
  launch: (options) => {
    const hosts = options.value("-H", "-host", "--host");
    const slots = hosts === undefined ? undefined : slotsOf(hosts.text);
    const ranks =
      options.count("-n", "-np", "--n", "--np", "-c") ??
      (hosts && slots !== undefined ? { count: slots, offset: hosts.offset } : undefined);
    return ranks === undefined ? {} : { ranks };
  },
};

/** `node1:8,node2:8`; undefined where a host has no number. */
function slotsOf(hosts: string): number | undefined {
  const total = hosts
    .split(",")
    .reduce((sum, host) => sum + Number(host.split(":")[1] || Number.NaN), 0);
  return Number.isNaN(total) ? undefined : total;
}

export const slurm: Launcher = {
  ...slurmOptions,
  launch: (options, outer) => slurmLaunch(options, outer),
};
