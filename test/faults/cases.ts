// What may happen to a run, and to what it leaves behind.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Fault, faultOf, runParameters, type Scene, type Setting } from "./fault.ts";

async function measuring({ until }: Scene): Promise<void> {
  return until(/measuring [1-9]\d*/);
}
const long = runParameters("-o", "r.json", "--time", "5min");
const short = runParameters("-o", "r.json", "--samples", "6");

function inMeasuring(name: string, happen: Setting["happen"], more?: Partial<Setting>): Fault {
  return {
    name,
    run: async () =>
      faultOf({
        parameters: long,
        onTerminal: true,
        before: measuring,
        ...(happen === undefined ? {} : { happen }),
        ...more,
      }),
  };
}

function signalled(signal: NodeJS.Signals): Fault {
  return inMeasuring(`${signal} while it measures`, async ({ pid }) => {
    process.kill(pid, signal);
  });
}

function refused(name: string, ...parameters: readonly string[]): Fault {
  return {
    name,
    run: async () => faultOf({ parameters }),
  };
}

function refusedFile(name: string, text: string, ...parameters: readonly string[]): Fault {
  return {
    name,
    run: async () =>
      faultOf({
        parameters,
        prepare: async (folder) => writeFile(join(folder, "given.txt"), text),
      }),
  };
}

function withRank(name: string, signal: NodeJS.Signals, slow?: true): Fault {
  return {
    ...inMeasuring(name, async ({ ranks }) => {
      process.kill(ranks()[1] ?? 0, signal);
    }),
    ...(slow === undefined ? {} : { slow }),
  };
}

export const control: Fault = {
  name: "nothing",
  run: async () => faultOf({ parameters: short }),
};

export const signals: readonly Fault[] = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map(signalled);

export const signalTwice = inMeasuring("SIGTERM twice at once", async ({ pid }) => {
  process.kill(pid, "SIGTERM");
  await setTimeout(10);
  process.kill(pid, "SIGTERM");
});

/** By what its end prints: rows of sizes, or of kernels whose variants were tried. */
function interruptedTool(
  name: string,
  command: readonly string[],
  shown: RegExp,
  signal: NodeJS.Signals,
): Fault {
  return {
    name,
    run: async () =>
      faultOf({
        parameters: [...command, "--adapter", "swiftshader"],
        onTerminal: true,
        // The coordinator's caches are its own, so that tuning has something to try.
        shell: 'export XDG_CACHE_HOME="$PWD/cache"; exec "$@"',
        before: async ({ until }) => until(shown),
        happen: async ({ pid }) => {
          process.kill(pid, signal);
        },
      }),
  };
}

export const collectivesInterrupted = interruptedTool(
  "SIGTERM while collectives measures its third size",
  ["collectives", "all-reduce", "-n", "2", "-b", "8", "-e", "64M", "--time", "1s"],
  /measuring 3\//,
  "SIGTERM",
);

export const tuneInterrupted = interruptedTool(
  "SIGHUP while tune tries variants",
  ["tune", "plan.json"],
  /tuning kernels [1-9]/,
  "SIGHUP",
);

export const interruptedBesideComplete: Fault = {
  name: "SIGINT while it measures, beside a complete result",
  run: async () => {
    const parameters = runParameters("-o", "r.json", "--samples", "6");
    return faultOf({
      parameters: long,
      onTerminal: true,
      shell: `"$1" "$2" ${parameters.join(" ")} > /dev/null 2>&1; exec "$@"`,
      before: measuring,
      happen: async ({ pid }) => {
        process.kill(pid, "SIGINT");
      },
    });
  },
};

export const terminalGone = inMeasuring("its terminal is closed", async ({ child }) => {
  child.kill("SIGKILL");
});

export const errorGone: Fault = {
  name: "standard error is closed",
  run: async () => faultOf({ parameters: short, shell: 'exec "$@" 2>&-' }),
};

export const readerGone: Fault = {
  name: "the reader of its output is gone",
  run: async () =>
    faultOf({ parameters: short, shell: '("$@"; echo $? > code) | true; exit $(cat code)' }),
};

export const outputFull: readonly Fault[] = [
  {
    name: "standard output is full",
    run: async () => faultOf({ parameters: short, shell: 'exec "$@" > /dev/full' }),
  },
  {
    name: "standard output of check is full",
    run: async () =>
      faultOf({ parameters: ["check", "plan.json"], shell: 'exec "$@" > /dev/full' }),
  },
];

export const resultFull: Fault = {
  name: "its result goes to a full device",
  run: async () => faultOf({ parameters: runParameters("-o", "/dev/full", "--samples", "6") }),
};

export const resultTaken: readonly Fault[] = [
  refused("its result would replace the plan", ...runParameters("-o", "plan.json")),
  refused("its result would go to no folder", ...runParameters("-o", "none/r.json")),
  refused("its result would go to a folder", ...runParameters("-o", ".")),
  refused("its result would go where nothing can", ...runParameters("-o", "/proc/r.json")),
];

export const badFiles: readonly Fault[] = [
  refusedFile("a result that is no JSON", "{", "compare", "plan.json", "--result", "given.txt"),
  refusedFile("a result without end", "", "compare", "plan.json", "--result", "/dev/zero"),
  refusedFile("a result that is a list", "[]", "estimate", "plan.json", "--result", "given.txt"),
  refusedFile(
    "links that are none",
    '[{"op":"send","ranks":2,"adapters":[],"link":{"latencyMs":-1,"error":0}}]',
    "simulate",
    "plan.json",
    "--peak-flops",
    "1TFLOPS",
    "--links",
    "given.txt",
  ),
];

export const rankKilled = withRank("a rank is killed", "SIGKILL");
export const rankStopped = withRank("a rank is stopped", "SIGSTOP", true);

export const coordinatorKilled = inMeasuring("it is killed", async ({ pid }) => {
  process.kill(pid, "SIGKILL");
});

export const coordinatorKilledWithRankStopped = inMeasuring(
  "it is killed while a rank is stopped",
  async ({ pid, ranks }) => {
    process.kill(ranks()[0] ?? 0, "SIGSTOP");
    process.kill(pid, "SIGKILL");
  },
);

export const secondSignal: Fault = {
  ...inMeasuring("SIGINT, and again after two seconds", async ({ pid, ranks }) => {
    // A rank that is stopped keeps the run from ending in order at once.
    for (const rank of ranks()) process.kill(rank, "SIGSTOP");
    process.kill(pid, "SIGINT");
    await setTimeout(2000);
    try {
      process.kill(pid, "SIGINT");
    } catch {
      // It has ended by itself.
    }
  }),
  slow: true,
};

export const interruptedAnalysis: Fault = {
  name: "SIGINT while 20,000 samples are analyzed",
  slow: true,
  run: async () =>
    faultOf({
      parameters: runParameters("-o", "r.json", "--samples", "20000"),
      onTerminal: true,
      before: async ({ until }) => until(/analyzing/),
      happen: async ({ pid }) => {
        process.kill(pid, "SIGINT");
      },
    }),
};

export const allFaults: readonly Fault[] = [
  control,
  ...signals,
  signalTwice,
  secondSignal,
  collectivesInterrupted,
  tuneInterrupted,
  interruptedBesideComplete,
  interruptedAnalysis,
  terminalGone,
  errorGone,
  readerGone,
  ...outputFull,
  resultFull,
  ...resultTaken,
  ...badFiles,
  rankKilled,
  rankStopped,
  coordinatorKilled,
  coordinatorKilledWithRankStopped,
];
