// A rank ends with its coordinator, also where it cannot hear that their channel closes: while it is stopped, and
// while its thread waits for a driver.

import koffi from "koffi";

/** PR_SET_PDEATHSIG of Linux. */
const setParentDeathSignal = 1;
const sigkill = 9;

/** @param parent process that started this one; where it is gone already, this process ends at once */
export function endWithParent(parent: number): void {
  if (process.platform !== "linux") return;
  const prctl = koffi.load(null).func("int prctl(int option, ...)");
  prctl(setParentDeathSignal, "ulong", sigkill);
  // It may have ended before the call, which then waits for whoever took this process over.
  if (process.ppid !== parent) process.exit(1);
}
