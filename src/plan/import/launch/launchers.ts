// Programs that start other programs: which of their options take a value, what follows the options, and
// what the options say of ranks and GPUs.

import type { Given, Launch, Word } from "../invocation.ts";
import { isCount } from "../fields.ts";
import { type LauncherOptions, listedDevices, times } from "./launch.ts";
import { type OptionGrammar, optionsOf } from "./options.ts";
import { slurmLaunch, slurmOptions } from "./slurm.ts";

/** A variable that the launcher sees. */
type Environment = (name: string) => Word | undefined;

export interface Launcher extends OptionGrammar {
  /** Words between the options and the command: a duration, an image, a host. */
  readonly skips?: number;
  /** Sub-commands that start a program, such as `run` of docker. Options may stand on both sides. */
  readonly verbs?: readonly string[];
  /** The command is one text that a shell reads, whatever words it has. */
  readonly remote?: boolean;
  /** The program runs in a container or on another machine, which does not inherit variables. */
  readonly isolated?: boolean;
  /** What follows is a Python script, or a module after -m. */
  readonly python?: boolean;
  readonly launch?: (
    options: LauncherOptions,
    outer: Launch,
    environment: Environment,
  ) => Partial<Pick<Launch, "ranks" | "nodes" | "gpus">>;
}

function plain(valued = "", skips = 0, switches = ""): Launcher {
  return {
    ...optionsOf(valued, switches),
    skips,
  };
}

const torchrun: Launcher = {
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
  environment: Environment,
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

const accelerate: Launcher = {
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

const deepspeed: Launcher = {
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

const mpirun: Launcher = {
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

function gpusFlag(options: LauncherOptions): Partial<Launch> {
  const word = options.value("--gpus");
  const count =
    word && (listedDevices(word.text.includes("device=") ? word.text : "") ?? Number(word.text));
  return word !== undefined && count !== undefined && Number.isInteger(count) && count > 0
    ? { gpus: { count, offset: word.offset } }
    : {};
}

const dockerOptions = optionsOf(
  `-v --volume -p --publish -e --env --env-file --name --gpus --runtime --network --net --ipc --shm-size -w
   --workdir -u --user --entrypoint --ulimit --device --mount -l --label -m --memory --cpus --cpuset-cpus -h
   --hostname --add-host --restart --platform --cap-add --cap-drop --security-opt --pid --pull --group-add
   --tmpfs --log-driver --log-opt --annotation --volumes-from --health-cmd --stop-signal --dns --expose
   -f --file --project-name --profile --cgroupns --userns --uts --index --detach-keys`,
  "-d -i -t --rm --init --privileged --detach --interactive --tty -P --publish-all --no-healthcheck --no-deps -T --build",
);

/** `skips` is the image, or the container. */
const docker: Launcher = {
  ...dockerOptions,
  verbs: ["run", "exec", "compose", "container", "create"],
  skips: 1,
  isolated: true,
  launch: gpusFlag,
};

function image(verbs: readonly string[]): Launcher {
  return {
    ...optionsOf(
      "-B --bind -H --home -W --workdir --env --env-file --pwd -c --mount -m -e --overlay --network -S",
      "--nv --rocm --cleanenv -C --contain --no-home --writable --writable-tmpfs --rw --root --fakeroot",
    ),
    verbs,
    skips: 1,
  };
}

const slurm: Launcher = {
  ...slurmOptions,
  launch: (options, outer) => slurmLaunch(options, outer),
};

const remoteShell: Launcher = {
  ...optionsOf("-p -i -l -o -w -x -J -F -R -f -S", "-t -T -A -q -v -N -n -tt -X"),
  skips: 1,
  remote: true,
  isolated: true,
};

/** By the name of the program. */
export const launchers: Readonly<Record<string, Launcher>> = {
  torchrun,
  accelerate,
  deepspeed,
  mpirun,
  mpiexec: mpirun,
  "mpiexec.hydra": mpirun,
  orterun: mpirun,
  prterun: mpirun,
  horovodrun: mpirun,
  srun: slurm,
  salloc: slurm,
  sbatch: slurm,
  docker,
  podman: docker,
  nerdctl: docker,
  "docker-compose": { ...docker, verbs: ["run", "exec"] },
  singularity: image(["exec", "run"]),
  apptainer: image(["exec", "run"]),
  enroot: image(["start", "exec"]),
  kubectl: {
    ...optionsOf(
      "-n --namespace -c --container --image --env --labels -l --overrides --restart --port --context -f",
      "-i -t --stdin --tty --rm --attach --command --quiet -q",
    ),
    verbs: ["exec", "run"],
    skips: 1,
    isolated: true,
  },
  ssh: remoteShell,
  pdsh: { ...remoteShell, skips: 0 },
  clush: { ...remoteShell, skips: 0 },
  ray: {
    ...optionsOf("--address --working-dir --runtime-env --runtime-env-json --entrypoint-num-gpus"),
    verbs: ["job", "submit"],
  },
  env: plain("-u --unset -C --chdir", 0, "-i"),
  nohup: plain(),
  exec: plain("-a"),
  command: plain(),
  builtin: plain(),
  time: plain("-f -o", 0, "-p -v"),
  setsid: plain("", 0, "-w"),
  unbuffer: plain(),
  sudo: plain("-u -g -h", 0, "-E -H -n -i -S"),
  nice: plain("-n --adjustment"),
  ionice: plain("-c -n"),
  chrt: plain("", 1),
  taskset: plain("", 1, "-c --cpu-list -a"),
  numactl: plain(
    "-N -m -C -i -p --cpunodebind --membind --physcpubind --interleave --preferred",
    0,
    "-l --localalloc",
  ),
  timeout: plain("-k -s --kill-after --signal", 1),
  stdbuf: plain("-o -e -i"),
  nsys: {
    ...plain("-o -t -c -w -y -d -f -s --trace --output --capture-range"),
    verbs: ["profile"],
  },
  ncu: plain("-o -k -c --set --section --target-processes"),
  strace: plain("-o -e -p"),
  uv: { ...plain("--with --python -p --extra --group --project --directory"), verbs: ["run"] },
  uvx: plain("--from --with --python"),
  poetry: { ...plain("-C"), verbs: ["run"] },
  pipenv: { ...plain(), verbs: ["run"] },
  pixi: { ...plain("-e --environment --manifest-path"), verbs: ["run"] },
  conda: {
    ...plain("-n --name -p --prefix", 0, "--no-capture-output --live-stream"),
    verbs: ["run"],
  },
  micromamba: { ...plain("-n --name -p --prefix"), verbs: ["run"] },
  "trtllm-llmapi-launch": plain(),
  "dumb-init": plain(),
  tini: plain("", 0, "-g -s -v"),
  $: plain(),
  "%": plain(),
  "-": plain(),
};

export const shells = new Set(["bash", "sh", "zsh", "dash", "ksh"]);

/** `python -m` of a launcher is the launcher. */
export const launcherModules: Readonly<Record<string, string>> = {
  "torch.distributed.run": "torchrun",
  "torch.distributed.launch": "torchrun",
  "accelerate.commands.launch": "accelerate launch",
  "deepspeed.launcher.runner": "deepspeed",
};
