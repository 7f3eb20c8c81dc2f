// Every program that starts other programs, by its name: which of its options take a value, and what follows them.

import type { Launch } from "../invocation.ts";
import { type LauncherOptions, listedDevices } from "./launch.ts";
import type { Launcher } from "./launcher.ts";
import { optionsOf } from "./options.ts";
import { accelerate, deepspeed, mpirun, slurm, torchrun } from "./rank_launchers.ts";

function plain(valued = "", skips = 0, switches = ""): Launcher {
  return {
    ...optionsOf(valued, switches),
    skips,
  };
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
