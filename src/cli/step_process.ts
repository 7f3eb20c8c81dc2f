// Another process that takes steps of a plan when it is told to: `shardbench steps` of this build or of another.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { exitCodes } from "./exit_code.ts";

export interface StepProcess {
  /** ms of each of so many further steps. Undefined where the process has ended instead. */
  steps(count: number): Promise<number[] | undefined>;
  /** Lets it check its steps, and end; resolves with its exit code. */
  end(): Promise<number>;
}

/** Resolves when it is ready, or with its exit code where it ended before. */
export async function startSteps(
  main: string,
  parameters: readonly string[],
): Promise<StepProcess | number> {
  const child = spawn(process.execPath, [main, "steps", ...parameters], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-4000);
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? exitCodes.interrupted));
  });
  // Who has ended reads nothing any more.
  child.stdin.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<number[] | undefined> => {
    const line = await lines.next();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `steps` writes nothing else
    return line.done === true ? undefined : (JSON.parse(line.value) as number[]);
  };
  if ((await next()) === undefined) {
    const code = await ended;
    // Of a build that does not know the command, nobody needs to hear that.
    if (code !== exitCodes.usage) process.stderr.write(errors);
    return code;
  }
  return {
    async steps(count) {
      child.stdin.write(`${count}\n`);
      return next();
    },
    async end() {
      child.stdin.end();
      const code = await ended;
      if (code !== exitCodes.fine) process.stderr.write(errors);
      return code;
    },
  };
}
