// One rank's process as the coordinator sees it.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { withoutDawnsNotices } from "../gpu/dawn_notices.ts";
import type { FromRank, RankPosition, ToRank } from "./messages.ts";

export interface RankProcess {
  readonly rank: number;
  readonly pid: number | undefined;
  /** The latest that it said of itself. */
  readonly position: RankPosition;
  /** `performance.now()` when it was last heard. */
  readonly heardMs: number;
  send(message: ToRank): void;
  kill(): void;
  /** Resolves when the process is gone, however it ended. */
  readonly ended: Promise<RankEnd>;
}

export interface RankEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Last lines it wrote to standard error. */
  readonly lastWords: string;
}

export interface StartOptions {
  readonly rank: number;
  /** Descriptor that the rank inherits as `inheritedFile`. */
  readonly file: number | undefined;
  /** Core that the process may run on; absent: any. */
  readonly core: number | undefined;
  readonly onMessage: (message: FromRank) => void;
}

/** After standard input, output, error and the IPC channel. */
export const inheritedFile = 4;

// The bundled program, from src/runtime, dist/runtime and dist/cli.
const rankProgram = fileURLToPath(new URL("../../dist/cli/rank.js", import.meta.url));

export function startRank({ rank, file, core, onMessage }: StartOptions): RankProcess {
  const child = fork(rankProgram, [String(process.pid)], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc", ...(file === undefined ? [] : [file])],
    ...(core === undefined
      ? { execArgv: [] }
      : { execPath: "taskset", execArgv: ["-c", String(core), process.execPath] }),
  });
  let position: RankPosition = { activity: "idle", turns: 0 };
  let heardMs = performance.now();
  const lastWords = collectLastWords(child);
  child.on("message", (message: FromRank) => {
    heardMs = performance.now();
    if (message.kind === "heartbeat") position = message;
    onMessage(message);
  });
  return {
    rank,
    pid: child.pid,
    get position() {
      return position;
    },
    get heardMs() {
      return heardMs;
    },
    send(message) {
      // One that has just died is reported by its end.
      if (child.connected) child.send(message, () => {});
    },
    kill: () => void child.kill("SIGKILL"),
    ended: new Promise((resolve) => {
      child.on("error", (error) => {
        if (child.pid === undefined)
          resolve({ code: null, signal: null, lastWords: error.message });
      });
      child.on("close", (code, signal) => resolve({ code, signal, lastWords: lastWords() }));
    }),
  };
}

function collectLastWords(child: ChildProcess): () => string {
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    words = (words + chunk).slice(-2000);
  });
  return () => withoutDawnsNotices(words).trim();
}
