// A twin is opened while the f64 reference computes, when ranks have nothing to do.

import type { Program } from "../program/program.ts";
import type { Observe } from "./verify.ts";

export interface TwinOpening {
  /** As the one given; opens the twin where the reference is next. */
  readonly observe: Observe;
  /** Opens it now, where that has not begun. */
  readonly opened: () => Promise<boolean>;
  /** Waits where that has begun and is not over: until then ranks can be asked for nothing else. */
  readonly settled: () => Promise<void>;
}

export function openBeside(
  observe: Observe,
  program: Program,
  open: () => Promise<boolean>,
): TwinOpening {
  let opening: Promise<boolean> | undefined;
  const opened = async (): Promise<boolean> => (opening ??= open());
  return {
    opened,
    async settled() {
      await opening?.catch(() => undefined);
    },
    async observe(wanted, asked) {
      const found = await observe(wanted, asked);
      // Beside an unsharded run there would be no memory for it, or no time. What fails is thrown to whoever awaits it.
      if (wanted === program && asked?.check === "brief") opened().catch(() => undefined);
      return found;
    },
  };
}
