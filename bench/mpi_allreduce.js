// One process of an MPI job: times the library's own MPI_Allreduce of f32 sums on host buffers, for sizes in bytes that its
// arguments name, and lets rank 0 print them.

import koffi from "koffi";
import { joinWorld } from "../dist/collectives/transport/mpi/world.js";

const sizes = process.argv.slice(2).map(Number);
const { mpi, rank } = joinWorld();
const isOpen = mpi.name === "Open MPI";
const library = koffi.load(isOpen ? "libmpi.so.40" : "libmpich.so.12", { global: true });
const handle = isOpen ? "void *" : "int";
const [world, float, sum] = isOpen
  ? ["comm_world", "float", "op_sum"].map((name) => library.symbol(`ompi_mpi_${name}`))
  : [0x44000000, 0x4c00040a, 0x58000003];
const allreduce = library.func(
  `int MPI_Allreduce(void *send, void *receive, int count, ${handle} type, ${handle} op, ${handle} comm)`,
);
const ms = {};
for (const bytes of sizes) {
  const own = new Float32Array(bytes / 4).fill(rank + 1);
  const all = new Float32Array(bytes / 4);
  const times = [];
  // All do as many: by rank 0's clock none would know when to stop.
  const rounds = Math.max(5, Math.min(500, Math.round(64e6 / bytes)));
  for (let round = 0; round < rounds; round += 1) {
    const before = performance.now();
    if (allreduce(own, all, own.length, float, sum, world) !== 0) throw new Error("MPI_Allreduce");
    times.push(performance.now() - before);
  }
  if (all.some((value) => value !== 3)) throw new Error("wrong sums");
  ms[bytes] = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}
if (rank === 0) console.log(JSON.stringify(ms));
mpi.finalize();
process.exit(0);
