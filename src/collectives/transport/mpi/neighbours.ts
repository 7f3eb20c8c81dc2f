// Ranks of one host, which share memory: the first of them makes a file that has no name, and the others open it through
// what the system lists of its process. So nothing is left of it, however they end; and where one cannot be opened, as
// between containers, ranks exchange through MPI.

import { randomUUID } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { canMapFiles } from "../../../map_file.ts";
import { layoutSharedMemory } from "../shared_memory/layout.ts";
import { createSharedFile } from "../shared_memory/shared_file.ts";
import type { RankSetup } from "../transport.ts";
import { memory, type MpiLibrary } from "./library.ts";
import { allGather, type ClockOffset, finish, type MpiWorld, tags } from "./world_messages.ts";

interface Neighbour extends ClockOffset {
  readonly host: string;
  readonly pid: number;
  /** Descriptor of a file that holds the token. */
  readonly file: number;
  readonly token: string;
}

export interface Neighbours extends ClockOffset {
  /** Ranks of this host that share memory, ascending, this one among them. */
  readonly neighbours: readonly number[];
  /** Process of the first of them. */
  readonly firstPid: number;
}

const tokenBytes = 36;

/** To be called once, by all processes. Neighbours read one clock: all take the offset of the first. */
export function findNeighbours(
  mpi: MpiLibrary,
  rank: number,
  size: number,
  host: string,
  clock: ClockOffset,
): Neighbours {
  const token = randomUUID();
  const file = createProbe(token);
  const own: Neighbour = { host, pid: process.pid, file, token, ...clock };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all run the same version
  const all = allGather(mpi, rank, size, own) as readonly Neighbour[];
  const ranks = all.flatMap((other, i) => (other.host === host ? [i] : []));
  const first = all[ranks[0] ?? rank] ?? own;
  const opened = allGather(mpi, rank, size, holdsToken(first));
  if (file >= 0) closeSync(file);
  if (!ranks.every((other) => opened[other] === true)) {
    return { ...clock, neighbours: [rank], firstPid: process.pid };
  }
  const { clockOffsetMs, clockUncertaintyMs } = first;
  return { clockOffsetMs, clockUncertaintyMs, neighbours: ranks, firstPid: first.pid };
}

function createProbe(token: string): number {
  if (!canMapFiles()) return -1;
  try {
    const { file } = createSharedFile({ bytes: 4096, controlBytes: 4096, leastBytes: 4096 });
    writeSync(file, token, 0);
    return file;
  } catch {
    return -1;
  }
}

function holdsToken({ pid, file, token }: Neighbour): boolean {
  try {
    const opened = openOf(pid, file);
    const held = new Uint8Array(tokenBytes);
    readSync(opened, held, 0, tokenBytes, 0);
    closeSync(opened);
    return new TextDecoder().decode(held) === token;
  } catch {
    return false;
  }
}

/** A file that another process has open. */
function openOf(pid: number, file: number): number {
  return openSync(`/proc/${pid}/fd/${file}`, "r+");
}

/**
 * Memory for a program: a file that all neighbours have open, laid out for mailboxes among them; undefined where there is
 * no room for it. To be called by all neighbours, program by program; those after the first wait for it.
 */
export function openSharedFile(
  { mpi, rank, neighbours, firstPid }: MpiWorld,
  { ranks, mailboxes }: Pick<RankSetup, "ranks" | "mailboxes">,
): number | undefined {
  const [first = rank, ...others] = neighbours;
  const bytes = memory(4);
  const view = new DataView(bytes.buffer);
  if (rank !== first) {
    finish(mpi.receive(bytes, first, tags.file));
    const file = view.getInt32(0);
    return file < 0 ? undefined : openOf(firstPid, file);
  }
  const file = createOrNot(() => createSharedFile(layoutSharedMemory(ranks, mailboxes)).file);
  view.setInt32(0, file ?? -1);
  for (const other of others) finish(mpi.send(bytes, other, tags.file));
  return file;
}

function createOrNot(create: () => number): number | undefined {
  try {
    return create();
  } catch {
    return undefined;
  }
}
