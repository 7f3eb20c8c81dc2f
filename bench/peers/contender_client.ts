// A contender as its parent sees it: a process that answers one question at a time.

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import { withoutDawnsNotices } from "../../src/gpu/dawn_notices.ts";
import type { ContenderName } from "./contender.ts";
import type { Task } from "./tasks.ts";

export type Question =
  | { readonly kind: "prepare"; readonly task: Task }
  | { readonly kind: "run"; readonly repeats: number }
  | { readonly kind: "release" };

/** Of one run, on average over the runs of the sample. */
export interface Sample {
  readonly wallMs: number;
  /** Of all threads of the process. */
  readonly cpuMs: number;
}

export interface Answer {
  /** Of `prepare`; absent where the contender has no way to compute the task. */
  readonly result?: Float32Array;
  readonly sample?: Sample;
  readonly failure?: string;
}

export interface ContenderClient {
  readonly name: ContenderName;
  /** Throws what the contender throws, or how its process ended. */
  ask(question: Question): Promise<Answer>;
  /** False once its process has ended. */
  alive(): boolean;
  close(): void;
}

const answerLimitMs = 180_000;

/** Resolves when the contender has opened the adapter. */
export async function startContender(
  name: ContenderName,
  choice: AdapterChoice,
): Promise<ContenderClient> {
  const script = fileURLToPath(new URL("contender_process.ts", import.meta.url));
  const child = fork(script, [name, JSON.stringify(choice)], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let complaints = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    complaints = (complaints + withoutDawnsNotices(chunk.toString())).slice(-2000);
  });
  let settle: ((answer: Answer) => void) | undefined;
  let ended: string | undefined;
  // What was sent to a process that has just ended.
  child.on("error", ({ message }) => settle?.({ failure: message }));
  child.on("message", (answer: Answer) => settle?.(answer));
  child.on("exit", (code, signal) => {
    const lines = complaints.trim().split("\n");
    const telling = lines.findLast((line) => /error|terminate/i.test(line)) ?? lines.at(-1) ?? "";
    ended = `its process ended (${signal ?? `exit code ${code}`}) ${telling}`.trim();
    settle?.({ failure: ended });
  });

  const hear = async (): Promise<Answer> => {
    const answer = await new Promise<Answer>((resolve) => {
      const limit = setTimeout(() => {
        child.kill("SIGKILL");
      }, answerLimitMs);
      settle = (heard) => {
        clearTimeout(limit);
        resolve(heard);
      };
      if (ended !== undefined) settle({ failure: ended });
    });
    if (answer.failure !== undefined) throw new Error(answer.failure);
    return answer;
  };

  await hear();
  return {
    name,
    ask(question) {
      if (ended === undefined) child.send(question);
      return hear();
    },
    alive: () => ended === undefined,
    close: () => child.kill("SIGKILL"),
  };
}
