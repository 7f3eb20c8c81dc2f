// Messages through an MPI library, within a machine and between machines. Its ranks are processes that an MPI launcher
// started, and that have joined their job (`world.ts`).

import { EnvironmentError } from "../../../environment_error.ts";
import type { Transport } from "../transport.ts";
import { createMpiCommunicator } from "./communicator.ts";
import { mpiWorld } from "./world.ts";

export const mpi: Transport = {
  isAvailable: () => mpiWorld() !== undefined,
  coordinate: () => ({ notes: [], hear() {}, close() {} }),
  join({ ranks, mailboxes, waiting }) {
    const world = mpiWorld();
    if (world === undefined) {
      throw new EnvironmentError(
        "missing-feature",
        "this process belongs to no MPI job",
        "start it with mpirun or srun",
      );
    }
    return {
      communicator: createMpiCommunicator({ world, ranks, mailboxes, waiting }),
      hear() {},
    };
  },
};
