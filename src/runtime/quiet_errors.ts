// Standard error of a process that somebody else started and reads, without Dawn's notices: Dawn writes to the descriptor
// itself, so it leads to a filter from now on, which ends when this process has.

import { spawn } from "node:child_process";
import koffi from "koffi";
import { dawnsNotices } from "../gpu/dawn_notices.ts";

const standardError = 2;

/** To be called before Dawn is loaded. Where there is no filter, all is written as before. */
export async function filterDawnsNotices(): Promise<void> {
  if (process.platform === "win32") return;
  const filter = spawn("grep", ["--line-buffered", "-v", "-E", dawnsNotices], {
    // In a group of its own: it still passes on what was written when the launcher ends all ranks.
    detached: true,
    stdio: ["pipe", standardError, "ignore"],
  });
  const isStarted = await new Promise<boolean>((resolve) => {
    filter.once("spawn", () => resolve(true));
    filter.once("error", () => resolve(false));
  });
  const { stdin } = filter;
  const input = stdin === null ? undefined : descriptorOf(stdin);
  if (!isStarted || input === undefined) return;
  const dup2: (from: number, to: number) => number = koffi
    .load(null)
    .func("int dup2(int from, int to)");
  if (dup2(input, standardError) !== standardError) return;
  // Only the descriptor of standard error keeps it open: it reads the end when this process ends.
  filter.unref();
  stdin?.destroy();
}

function descriptorOf(stream: object): number | undefined {
  const handle: unknown = Reflect.get(stream, "_handle");
  const file: unknown =
    typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : undefined;
  return typeof file === "number" && file >= 0 ? file : undefined;
}
