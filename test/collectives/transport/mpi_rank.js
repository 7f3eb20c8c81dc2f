// One rank of the conformance tests, in a process that an MPI launcher started: plays the scenario of the file that its
// first argument names, and writes what it found beside it.

import { readFileSync, writeFileSync } from "node:fs";
import { transports } from "../../../dist/collectives/transport/transports.js";
import { joinWorld } from "../../../dist/collectives/transport/mpi/world.js";
import { play } from "./conformance_play.js";

const [file] = process.argv.slice(2);
const told = JSON.parse(readFileSync(file, "utf8"));
const ownRank = Number(process.env.OMPI_COMM_WORLD_RANK ?? process.env.PMI_RANK);
// As if so many ranks each were on a host of their own.
const { mpi, rank, size, neighbours } = joinWorld(
  `host ${Math.floor(ownRank / told.ranksPerHost)}`,
);
const scenario = { ...told, rank };
if (size !== scenario.ranks) throw new Error(`${size} processes for ${scenario.ranks} ranks`);
const side = transports.mpi.join({ ...scenario, file: 4, tell() {} });
const played = await play(side, scenario);
writeFileSync(`${file}.${rank}`, JSON.stringify({ ...played, neighbours }));
mpi.finalize();
process.exit(0);
