// Ranks that a launcher started, on this machine or others: they connect to the coordinator, which asks them as it asks
// processes of its own. A program with as many ranks runs on them; a smaller one, such as the unsharded run, in processes
// of the coordinator's machine.

import { createServer, type Socket } from "node:net";
import { EnvironmentError } from "../environment_error.ts";
import { setJobHosts } from "../gpu/job_hosts.ts";
import type { FromRank, RankPosition, ToRank } from "./messages.ts";
import { type Link, linkOver } from "./rank_link.ts";
import type { RankEnd, RankProcess } from "./rank_process.ts";

/** What a rank says first. */
export interface Hello {
  readonly token: string;
  readonly rank: number;
  readonly host: string;
  /** The same for all containers of one machine. */
  readonly machine: string;
  readonly library: string;
  /** How well its clock is known, ms. */
  readonly clockUncertaintyMs: number;
  /** With other ranks of its host. */
  readonly sharesMemory: boolean;
}

/** The rank has left the program, and is ready for another. */
export interface RankLeft {
  readonly kind: "left";
}

export type FromRemote = FromRank | RankLeft;

type RemoteLink = Link<ToRank, FromRemote>;

export interface RemoteRanks {
  readonly count: number;
  /** What a person should know of them. */
  readonly notes: readonly string[];
  /** Clocks of two ranks differ by no more than twice that, ms; 0 where all are on one host. */
  readonly clockUncertaintyMs: number;
  /** By rank. */
  readonly hosts: readonly string[];
  /** @param onMessage of a program that begins */
  start(rank: number, onMessage: (message: FromRank) => void): RankProcess;
}

let remote: RemoteRanks | undefined;
let areTaken = false;

/** Those of this coordinator, for a program of so many ranks; undefined where it runs in processes of its own. */
export function remoteRanksFor(ranks: number): RemoteRanks | undefined {
  if (remote === undefined || ranks === 1) return undefined;
  if (ranks !== remote.count) {
    throw new EnvironmentError(
      "cannot-place",
      `the launcher started ${remote.count} processes, and the plan has ${ranks} GPUs`,
      `start ${ranks} processes, such as with mpirun -n ${ranks}`,
    );
  }
  return areTaken ? undefined : remote;
}

export interface Listening {
  readonly port: number;
  /** Resolves when all ranks have connected. */
  readonly ready: Promise<void>;
}

/** @param token that ranks of the job know */
export async function listenForRanks(count: number, token: string): Promise<Listening> {
  const links = new Map<number, { readonly link: RemoteLink; readonly hello: Hello }>();
  const server = createServer();
  const ready = new Promise<void>((resolve) => {
    server.on("connection", (socket) => {
      greet(socket, (link, hello) => {
        if (hello.token !== token || !(hello.rank < count) || links.has(hello.rank)) {
          socket.destroy();
          return;
        }
        links.set(hello.rank, { link, hello });
        link.beat();
        socket.unref();
        if (links.size < count) return;
        server.close();
        remote = ranksOf([...links.values()].toSorted((a, b) => a.hello.rank - b.hello.rank));
        resolve();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port to listen on");
  return { port: address.port, ready };
}

function greet(socket: Socket, welcome: (link: RemoteLink, hello: Hello) => void): void {
  const link = linkOver<ToRank, Hello>(socket);
  link.onMessage((hello) => {
    // From now on it sends what ranks send.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same socket, read in the same way
    welcome(link as unknown as RemoteLink, hello);
  });
}

function ranksOf(
  all: readonly { readonly link: RemoteLink; readonly hello: Hello }[],
): RemoteRanks {
  const hosts = all.map(({ hello }) => hello.host);
  setJobHosts(all.map(({ hello: { host: name, machine } }) => ({ name, machine })));
  const count = new Set(hosts).size;
  const worstMs = Math.max(...all.map(({ hello }) => hello.clockUncertaintyMs));
  const where = count === 1 ? "on one host" : `on ${count} hosts`;
  const clocks = count === 1 ? "" : `, whose clocks agree within ${(1000 * worstMs).toFixed(0)} µs`;
  const memory = all.some(({ hello }) => hello.sharesMemory)
    ? "; within a host they share memory"
    : "";
  return {
    count: all.length,
    clockUncertaintyMs: worstMs,
    hosts,
    notes: [
      `ranks are processes of an MPI job over ${all[0]?.hello.library} ${where}${clocks}${memory}`,
    ],
    start(rank, onMessage) {
      const found = all[rank];
      if (found === undefined) throw new RangeError(`rank ${rank} of ${all.length}`);
      areTaken = true;
      return processOver(found.link, found.hello, onMessage);
    },
  };
}

function processOver(
  link: RemoteLink,
  { rank, host }: Hello,
  onMessage: (message: FromRank) => void,
): RankProcess {
  let position: RankPosition = { activity: "idle", turns: 0 };
  let heardMs = performance.now();
  let end: (end: RankEnd) => void = () => undefined;
  const ended = new Promise<RankEnd>((resolve) => {
    end = resolve;
  });
  const over = (lastWords: string): void => {
    link.socket.unref();
    link.onMessage(() => undefined);
    areTaken = false;
    end({ code: null, signal: null, lastWords });
  };
  link.socket.ref();
  void link.closed.then(() => over(`its connection from ${host} closed`));
  link.onMessage((message) => {
    heardMs = performance.now();
    if (message.kind === "left") {
      over("");
      return;
    }
    if (message.kind === "heartbeat") position = message;
    onMessage(message);
  });
  return {
    rank,
    pid: undefined,
    get position() {
      return position;
    },
    get heardMs() {
      return heardMs;
    },
    send(message) {
      if (!link.socket.destroyed) link.send(message);
    },
    // The launcher ends all processes of the job when the coordinator has ended.
    kill: () => over("the coordinator gave it up"),
    ended,
  };
}
