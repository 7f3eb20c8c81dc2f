// Which MPI launcher started this process, by what it put into the environment.

/** Of Open MPI's `mpirun`, of Hydra (MPICH, Intel MPI), of a PMIx launcher such as `srun --mpi=pmix`, and of Slurm's own. */
const launchers = [
  { library: "Open MPI", size: "OMPI_COMM_WORLD_SIZE" },
  { library: "MPICH", size: "PMI_SIZE" },
  { library: "Open MPI", size: "SLURM_NTASKS", beside: "PMIX_RANK" },
  { library: "MPICH", size: "SLURM_NTASKS", beside: "PMI_FD" },
] as const;

export type MpiLibraryName = (typeof launchers)[number]["library"];

export interface Launched {
  /** Whose launcher it looks like: that library is tried first. */
  readonly library: MpiLibraryName;
  /** Processes, as the launcher says. */
  readonly size: number;
}

/** Undefined where no MPI launcher started this process, or started it alone. */
export function launchedByMpi(environment: NodeJS.ProcessEnv): Launched | undefined {
  for (const { library, size, ...more } of launchers) {
    const processes = Number(environment[size]);
    if (!(processes > 1)) continue;
    if ("beside" in more && environment[more.beside] === undefined) continue;
    return { library, size: processes };
  }
  return undefined;
}
