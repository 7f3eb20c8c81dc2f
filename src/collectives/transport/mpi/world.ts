// This process among all that the launcher started: who it is, which of them share memory with it, and what its clock is
// behind.

import { ownHost } from "../../../gpu/job_hosts.ts";
import { hostMs } from "../../../gpu/timestamps.ts";
import { launchedByMpi } from "./launcher.ts";
import { loadMpi, memory, type MpiLibrary } from "./library.ts";
import { findNeighbours } from "./neighbours.ts";
import { type ClockOffset, encoded, finish, type MpiWorld, tags } from "./world_messages.ts";

let world: MpiWorld | undefined;

/** Of the process that has joined. */
export function mpiWorld(): MpiWorld | undefined {
  return world;
}

/**
 * Joins the job. To be called once, by all its processes.
 *
 * @param host the same for all that may share memory; tests make several of one
 * @throws EnvironmentError where no launcher started this process, or its library is not found
 */
export function joinWorld(host = `${ownHost().name} ${ownHost().machine}`): MpiWorld {
  const launched = launchedByMpi(process.env);
  const mpi = loadMpi(launched?.library ?? "Open MPI");
  mpi.init();
  const rank = mpi.rank();
  const size = mpi.size();
  const clock = syncClocks(mpi, rank, size);
  world = { mpi, rank, size, ...findNeighbours(mpi, rank, size, host, clock) };
  return world;
}

const rounds = 64;

/** Each process asks rank 0 for the time, in turn; the answer that came back soonest counts. */
function syncClocks(mpi: MpiLibrary, rank: number, size: number): ClockOffset {
  const none = { clockOffsetMs: 0, clockUncertaintyMs: 0 };
  if (rank === 0) {
    for (let other = 1; other < size; other++) tellTime(mpi, other);
    return none;
  }
  let best: ClockOffset = { clockOffsetMs: 0, clockUncertaintyMs: Infinity };
  let host = "";
  for (let round = 0; round < rounds; round++) {
    const into = memory(answerBytes);
    const answer = mpi.receive(into, 0, tags.pong);
    const askedMs = hostMs();
    finish(mpi.send(memory(1), 0, tags.ping));
    finish(answer);
    const heardMs = hostMs();
    const theirMs = new DataView(into.buffer).getFloat64(0);
    host = new TextDecoder().decode(into.subarray(8, answer.byteLength()));
    const halfMs = (heardMs - askedMs) / 2;
    if (halfMs < best.clockUncertaintyMs) {
      best = { clockOffsetMs: theirMs - (askedMs + halfMs), clockUncertaintyMs: halfMs };
    }
  }
  // Processes of one machine read the same clock.
  return host === ownHost().name ? none : best;
}

const answerBytes = 512;

function tellTime(mpi: MpiLibrary, other: number): void {
  const name = encoded(ownHost().name);
  for (let round = 0; round < rounds; round++) {
    finish(mpi.receive(memory(1), other, tags.ping));
    const answer = memory(8 + name.length);
    answer.set(name, 8);
    new DataView(answer.buffer).setFloat64(0, hostMs());
    finish(mpi.send(answer, other, tags.pong));
  }
}
