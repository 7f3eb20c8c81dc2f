// Runs one part as a process with a limit, its output straight into files.

import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { graceMs, softLimitOf } from "./budget.ts";
import type { Outcome, Part } from "./part.ts";

export interface RunPartOptions {
  readonly adapter: string;
  /** Folder of the files. */
  readonly out: string;
  readonly limitMs: number;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

export function printedBy(part: Part, out: string): string {
  return join(out, `${part.name}.${part.ending}`);
}

/** Ends within `limitMs` and the grace, whatever the part does; with it ends all that it started. */
export async function runPart(part: Part, options: RunPartOptions): Promise<Outcome> {
  const { adapter, out, limitMs, environment, signal } = options;
  const log = join(out, `${part.name}.log`);
  const [output, complaints] = [openSync(printedBy(part, out), "w"), openSync(log, "w")];
  const begin = performance.now();
  const child = spawn(
    process.execPath,
    part.command({ adapter, softLimitMs: softLimitOf(limitMs) }),
    // A group of its own: the part's ranks end with it.
    { detached: true, stdio: ["ignore", output, complaints], env: environment },
  );
  const stop = (how: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, how);
    } catch {
      // Nobody is left of the group.
    }
  };
  let isOver = false;
  const interrupt = (): void => {
    isOver = true;
    stop("SIGINT");
  };
  const soft = setTimeout(interrupt, limitMs);
  const hard = setTimeout(() => stop("SIGKILL"), limitMs + graceMs - 1000);
  signal.addEventListener("abort", interrupt, { once: true });
  const ended = await new Promise<string | undefined>((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("exit", (code, how) =>
      resolve(code === 0 ? undefined : how === null ? `exit code ${code}` : `ended by ${how}`),
    );
  });
  clearTimeout(soft);
  clearTimeout(hard);
  signal.removeEventListener("abort", interrupt);
  stop("SIGKILL");
  closeSync(output);
  closeSync(complaints);
  const reason = isOver
    ? `its ${(limitMs / 1000).toFixed(0)} s were over`
    : ended === undefined
      ? undefined
      : [ended, lastLine(readFileSync(log, "utf8"))].filter((text) => text !== "").join(": ");
  return {
    name: part.name,
    title: part.title,
    state: isOver ? "cut off" : ended === undefined ? "done" : "failed",
    ...(reason === undefined ? {} : { reason }),
    seconds: (performance.now() - begin) / 1000,
    limitSeconds: limitMs / 1000,
  };
}

/** Of an error's text the message, else whatever came last. */
function lastLine(text: string): string {
  return (/^\w*Error.*$/m.exec(text)?.[0] ?? text.trimEnd().split("\n").at(-1) ?? "").trim();
}
