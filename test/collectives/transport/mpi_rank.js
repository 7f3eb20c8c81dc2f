// One rank of the conformance tests, in a process that an MPI launcher started: plays the scenario of the file that its
// first argument names, and writes what it found beside it.

import { readFileSync, writeFileSync } from "node:fs";
import { transports } from "../../../dist/collectives/transport/transports.js";
import { joinWorld } from "../../../dist/collectives/transport/mpi/world.js";
import { play } from "./conformance_play.js";

const [file] = process.argv.slice(2);
const { mpi, rank, size } = joinWorld();
const scenario = { ...JSON.parse(readFileSync(file, "utf8")), rank };
if (size !== scenario.ranks) throw new Error(`${size} processes for ${scenario.ranks} ranks`);
const side = transports.mpi.join({ ...scenario, file: 4, tell() {} });
const played = await play(side, scenario);
writeFileSync(`${file}.${rank}`, JSON.stringify(played));
mpi.finalize();
process.exit(0);
