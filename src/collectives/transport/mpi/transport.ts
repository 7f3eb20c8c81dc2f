// Messages between ranks that an MPI launcher started, and that have joined their job (`world.ts`): through shared memory
// within a host where that can be shared, and through an MPI library between hosts.

import { EnvironmentError } from "../../../environment_error.ts";
import type { Transport } from "../transport.ts";
import { createMpiCommunicator } from "./communicator.ts";
import { createHostCommunicator } from "./host_communicator.ts";
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
      communicator: createHostCommunicator(
        world,
        createMpiCommunicator({ world, ranks, mailboxes, waiting }),
        { ranks, mailboxes, waiting },
      ),
      hear() {},
    };
  },
};
