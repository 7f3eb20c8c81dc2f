// A rank whose process a launcher started: connects to the coordinator, and serves one program after the other there.

import { connect, type Socket } from "node:net";
import { createRankServer, endWith, type RankServer } from "./rank_server.ts";
import { linkOver } from "./rank_link.ts";
import type { FromRemote, Hello } from "./remote_ranks.ts";
import type { ToRank } from "./messages.ts";

/** Where the coordinator listens. */
export interface Whereabouts {
  /** Of its machine: the first that answers. */
  readonly addresses: readonly string[];
  readonly port: number;
}

export interface Served {
  /** Resolves when the coordinator is gone. */
  readonly closed: Promise<void>;
  /** Whether it is in no program. */
  readonly isIdle: () => boolean;
}

/** @throws Error where none of the addresses answers */
export async function serveRemote({ addresses, port }: Whereabouts, hello: Hello): Promise<Served> {
  const link = linkOver<FromRemote | Hello, ToRank>(await reach(addresses, port));
  let server: RankServer | undefined;
  endWith(process, (error) => server?.fail(error));
  link.onMessage((message) => {
    if (message.kind === "close") {
      server?.close();
      server = undefined;
      link.send({ kind: "left" });
      return;
    }
    server ??= createRankServer((said) => link.send(said));
    server.hear(message);
  });
  link.send(hello);
  link.watch(silenceMs);
  return { closed: link.closed, isIdle: () => server === undefined };
}

/** A coordinator that has so long said nothing is gone, or cannot be reached any more. */
const silenceMs = 30_000;

/** So long for an address that may lie behind a network which drops what it does not know. */
const answerMs = 3000;

async function reach(addresses: readonly string[], port: number): Promise<Socket> {
  const failures: string[] = [];
  for (const address of addresses) {
    const socket = connect({ host: address, port, timeout: answerMs });
    const failure = await new Promise<string | undefined>((resolve) => {
      socket.once("connect", () => resolve(undefined));
      socket.once("timeout", () => resolve("no answer"));
      socket.once("error", ({ message }) => resolve(message));
    });
    if (failure === undefined) {
      socket.setTimeout(0);
      return socket;
    }
    socket.destroy();
    failures.push(`${address}: ${failure}`);
  }
  throw new Error(`the coordinator on port ${port} cannot be reached: ${failures.join("; ")}`);
}
