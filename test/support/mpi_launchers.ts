// Launchers of MPI jobs, and how they start one on the two hosts that two_hosts.sh makes.

const tcp = "--mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24";

export const launchers = [
  {
    name: "Open MPI",
    file: "/usr/bin/mpirun.openmpi",
    flags: ["--allow-run-as-root", "--oversubscribe"],
    apart: (agent: string, ranks = 2): string[] => {
      const first = Math.ceil(ranks / 2);
      const hosts = `10.77.0.1:${first},10.77.0.2:${ranks - first}`;
      return `--mca plm_rsh_agent ${agent} ${tcp} -H ${hosts}`.split(" ");
    },
  },
  {
    name: "MPICH",
    file: "/usr/bin/mpirun.mpich",
    flags: [],
    apart: (agent: string): string[] =>
      `-launcher ssh -launcher-exec ${agent} -hosts 10.77.0.1,10.77.0.2`.split(" "),
  },
] as const;

export type Launcher = (typeof launchers)[number];
