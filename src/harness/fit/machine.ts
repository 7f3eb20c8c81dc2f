// What this machine offers a plan: its adapters with their limits and peaks, its memory, and how many ranks it can run.

import { availableParallelism, freemem } from "node:os";
import type { AdapterReport } from "../../gpu/adapter.ts";
import type { Calibration } from "../../gpu/calibration/calibration.ts";
import { keptCalibration } from "../../gpu/calibration/recall.ts";
import { discoverAdapters } from "../../gpu/discover.ts";
import { namedAdapters, placeRanks, type PlacementOptions } from "../../gpu/placement.ts";
import { gpuNamed } from "../../plan/gpu_names.ts";

/** One adapter, as a plan that is to run on it must know it. */
export interface Capability {
  readonly id: string;
  readonly software: boolean;
  /** Whether shaders know f16; else it is what is stored. */
  readonly halves: boolean;
  /** `maxBufferSize` and `maxStorageBufferBindingSize`, in bytes. */
  readonly bufferBytes: number;
  readonly bindingBytes: number;
  /** Bytes for the ranks on it; software adapters have the machine's together. */
  readonly memoryBytes: number;
  /** f32 FLOP/s and bytes per second. */
  readonly flops: number;
  readonly bandwidth: number;
  /** In a phrase. */
  readonly memoryFrom: string;
  readonly peaksFrom: string;
}

export interface Machine {
  readonly cores: number;
  /** By rank; the same for a rank whatever comes after it. */
  readonly place: (ranks: number) => readonly Capability[];
  /** Bytes of the host that may be used, software adapters' included. */
  readonly hostBytes: number;
  /** So many ranks run here in a time that is theirs, and not the scheduler's. */
  readonly mostRanks: number;
}

export interface MachineOptions extends PlacementOptions {
  /** Bytes for all buffers of an adapter; of software adapters, of the host. Default: what is there. */
  readonly memory?: number;
}

/** FLOP/s of one core, found on two cores of a cloud machine; those of an unknown software adapter are as SwiftShader's. */
const flopsPerCore: Readonly<Record<string, number>> = { lavapipe: 62e9, swiftshader: 21e9 };
const unknownCoreFlops = 21e9;
const coreBandwidth = 5e9;
/** Of a hardware adapter that no table knows: an integrated GPU's. */
const unknownGpu = { flops: 1e12, bandwidth: 50e9, memoryBytes: 4 * 2 ** 30 };

/** Of the memory that is free, what a run may take: others use it too. */
const usableShare = 0.6;
/** Of a datasheet's memory, what a driver leaves. */
const leftByDriver = 0.85;
/** Ranks that share a core take turns on it; more of them wait for each other more than they compute. */
const ranksPerCore = 2;
const ranksPerGpu = 4;
/** Of one machine: as many ranks are on all of them. */
const mostAdapters = 64;

/** A placement may name ranks that a smaller plan has not. */
const mostNamed = 4096;

/** @throws EnvironmentError where there is no such adapter */
export async function thisMachine(options: MachineOptions = {}): Promise<Machine> {
  const { adapters, refused } = await discoverAdapters(process.env, namedAdapters(options));
  const place = (ranks: number): AdapterReport[] =>
    placeRanks(Math.max(ranks, mostNamed), adapters, { ...options, refused }).slice(0, ranks);
  const calibrations = await Promise.all(adapters.map(keptCalibration));
  const kept = new Map(adapters.map(({ choice }, i) => [choice.id, calibrations[i]]));
  return machineOf(place, (id) => kept.get(id), options.memory);
}

/** Of given adapters: for tests, which choose the machine. */
export function machineOf(
  place: (ranks: number) => readonly AdapterReport[],
  calibrationOf: (id: string) => Calibration | undefined = () => undefined,
  memory?: number,
  { cores, free }: { readonly cores: number; readonly free: number } = {
    cores: availableParallelism(),
    free: Math.min(freemem(), process.availableMemory()),
  },
): Machine {
  const onHost = Math.floor(free * usableShare);
  const used = place(mostAdapters).map(({ choice }) => choice);
  const software = used.some((choice) => choice.software);
  const hostBytes = software ? (memory ?? onHost) : onHost;
  const gpus = new Set(used.map(({ id }) => id)).size;
  return {
    cores,
    place: (ranks) =>
      place(ranks).map((report) =>
        capabilityOf(report, calibrationOf(report.choice.id), { cores, hostBytes, memory }),
      ),
    hostBytes,
    mostRanks: software ? Math.max(4, ranksPerCore * cores) : ranksPerGpu * gpus,
  };
}

interface Host {
  readonly cores: number;
  readonly hostBytes: number;
  readonly memory: number | undefined;
}

function capabilityOf(
  report: AdapterReport,
  calibration: Calibration | undefined,
  { cores, hostBytes, memory }: Host,
): Capability {
  const { choice, limits } = report;
  const bestOf = (name: "f32" | "copy"): number | undefined => {
    const runs = calibration?.rates[name]?.runs;
    return runs === undefined ? undefined : Math.max(...runs);
  };
  const named = gpuNamed(choice.name);
  const sheet = "gpu" in named ? named.gpu : undefined;
  const usual = choice.software
    ? {
        flops: cores * (flopsPerCore[choice.id] ?? unknownCoreFlops),
        bandwidth: cores * coreBandwidth,
        memoryBytes: hostBytes,
      }
    : {
        flops: 1e12 * (sheet?.teraflops?.f32 ?? unknownGpu.flops / 1e12),
        bandwidth: 1e9 * (sheet?.memoryGBs ?? unknownGpu.bandwidth / 1e9),
        memoryBytes:
          sheet?.memoryGB === undefined
            ? unknownGpu.memoryBytes
            : leftByDriver * 1e9 * sheet.memoryGB,
      };
  const memoryBytes = memory ?? usual.memoryBytes;
  return {
    id: choice.id,
    software: choice.software,
    halves: report.features.includes("shader-f16"),
    bufferBytes: limits["maxBufferSize"] ?? 2 ** 28,
    bindingBytes: limits["maxStorageBufferBindingSize"] ?? 2 ** 27,
    memoryBytes,
    flops: bestOf("f32") ?? usual.flops,
    bandwidth: bestOf("copy") ?? usual.bandwidth,
    memoryFrom: memoryFrom(memory, choice.software, sheet),
    peaksFrom:
      calibration === undefined
        ? peaksFrom(choice.software, sheet)
        : "calibrated by an earlier run",
  };
}

interface Sheet {
  readonly name: string;
}

function memoryFrom(
  memory: number | undefined,
  software: boolean,
  sheet: Sheet | undefined,
): string {
  if (memory !== undefined) return "as given";
  if (software) return "most of what is free";
  return sheet === undefined ? "assumed" : `of ${sheet.name}`;
}

function peaksFrom(software: boolean, sheet: Sheet | undefined): string {
  if (software) return "as usual for its cores";
  return sheet === undefined ? "assumed" : `of ${sheet.name}`;
}
