// Where a run's result goes: looked at before anything is measured, so that nothing measured is lost for want of a
// place, and written so that no better result is lost to a worse one.

import { constants, fstatSync, openSync, type Stats } from "node:fs";
import { access, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { probeReplacing, replaceFile } from "./replace_file.ts";
import type { RunResult } from "./result.ts";
import { partialPath, resultPath } from "./result_path.ts";
import { notWritable, samplesKept } from "./result_file.ts";
import { textOfResult } from "./result_text.ts";

export interface ResultTarget {
  /** Resolves with where the result lies. */
  write(result: RunResult): Promise<string>;
}

interface OfPlan {
  readonly name: string;
  /** The plan's own, which no result may replace. Absent: there is none. */
  readonly file?: string;
}

/**
 * @param output absent: a file named after the plan, in a folder that is created
 * @throws EnvironmentError `file-not-writable` where the result could not be written there
 */
export async function openResultTarget(
  plan: OfPlan,
  output: string | undefined,
): Promise<ResultTarget> {
  const file = output ?? resultPath(plan.name);
  return writing(file, async () => {
    const folder = dirname(file);
    if (output === undefined) await mkdir(folder, { recursive: true });
    if ((await statOf(folder)) === undefined) throw new Error(`there is no folder ${folder}`);
    const found = await statOf(file);
    if (found !== undefined && (await isPlan(plan, found))) throw new Error("it is the plan");
    const target = await targetOf(file, found, output === undefined);
    return { write: async (result) => writing(file, async () => target.write(result)) };
  });
}

async function targetOf(
  file: string,
  found: Stats | undefined,
  isDefault: boolean,
): Promise<ResultTarget> {
  const stream = found === undefined ? undefined : standardStream(found);
  if (stream !== undefined) return intoStream(file, stream);
  if (found?.isFIFO() === true) return intoStream(file, await openPipe(file));
  if (found !== undefined && !found.isFile()) {
    if (!found.isCharacterDevice()) throw new Error("it is neither a file nor a device");
    await access(file, constants.W_OK);
    return {
      async write(result) {
        await writeFile(file, textOfResult(result));
        return file;
      },
    };
  }
  if (found !== undefined) await access(file, constants.W_OK);
  await probeReplacing(file);
  return { write: async (result) => intoFile(file, result, isDefault) };
}

/** What broke off goes beside a result that holds more, and replaces one that does not. */
async function intoFile(file: string, result: RunResult, isDefault: boolean): Promise<string> {
  const isComplete = result.outcome.state === "complete";
  let chosen = file;
  if (!isComplete) {
    let attempt = isDefault ? 1 : 0;
    const named = () => (attempt === 0 ? file : partialPath(file, attempt));
    while ((await worthOf(named())) > result.samples.length) attempt += 1;
    chosen = named();
  }
  const mode = (await statOf(chosen))?.mode;
  await replaceFile(chosen, textOfResult(result), mode === undefined ? undefined : mode & 0o777);
  return chosen;
}

/** Samples of a run that broke off; of a complete run, and of what is no result, more than any. */
async function worthOf(file: string): Promise<number> {
  const found = await statOf(file);
  if (found === undefined || (found.isFile() && found.size === 0)) return -1;
  if (!found.isFile()) return Infinity;
  return samplesKept(await readFile(file, "utf8"));
}

/** Standard output or error, where the file is what that goes to: what was printed there is not to be replaced. */
function standardStream({ dev, ino }: Stats): NodeJS.WriteStream | undefined {
  return [process.stdout, process.stderr].find(({ fd }) => {
    try {
      const own = fstatSync(fd);
      return own.dev === dev && own.ino === ino;
    } catch {
      return false;
    }
  });
}

function intoStream(file: string, stream: NodeJS.WriteStream | Socket): ResultTarget {
  return {
    async write(result) {
      const text = textOfResult(result);
      await new Promise<void>((resolve, reject) => {
        const done = (error?: Error | null): void => (error ? reject(error) : resolve());
        if (stream instanceof Socket && !isStandard(stream)) {
          stream.once("error", done);
          stream.end(text, done);
        } else stream.write(text, done);
      });
      return file;
    },
  };
}

function isStandard(stream: NodeJS.WriteStream | Socket): boolean {
  return stream === process.stdout || stream === process.stderr;
}

const readerPatienceMs = 5000;

/** Opened at once, so that its reader waits for the result: a reader that has gone is seen before anything is measured. */
async function openPipe(file: string): Promise<Socket> {
  const end = performance.now() + readerPatienceMs;
  for (;;) {
    try {
      const fd = openSync(file, constants.O_WRONLY | constants.O_NONBLOCK);
      const socket = new Socket({ fd, readable: false, writable: true });
      // Its faults are those of writing.
      socket.on("error", () => {});
      return socket;
    } catch (error) {
      const isUnread = error instanceof Error && "code" in error && error.code === "ENXIO";
      if (!isUnread) throw error;
      if (performance.now() > end) throw new Error("nobody reads this pipe", { cause: error });
      await setTimeout(50);
    }
  }
}

async function isPlan({ file }: OfPlan, { dev, ino }: Stats): Promise<boolean> {
  const plan = file === undefined ? undefined : await statOf(file);
  return plan?.isFile() === true && plan.dev === dev && plan.ino === ino;
}

/** Undefined where there is no such file. */
async function statOf(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function writing<Value>(file: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw notWritable(file, error);
  }
}
