// A step of a rank whose results are shown, and checked where that is asked for.

import { setImmediate } from "node:timers/promises";
import { createReader } from "../gpu/read_back.ts";
import type { ObserveInstruction } from "../program/program.ts";
import { computeAgain } from "./check/compute_again.ts";
import { brief, thorough } from "./check/effort.ts";
import { createPoison } from "./check/poison.ts";
import { createRankChecker } from "./check/rank_check.ts";
import { type CheckView, readAll } from "./check/view.ts";
import type {
  ForcedRoutes,
  ObservedBuffer,
  ObserveOptions,
  RankObservation,
} from "./observation.ts";
import { prepareServedStep } from "./prepare.ts";
import type { ProgramSession } from "./open_program.ts";

/** Clears the digests first, but for a step of serving: those go on from steps before. */
export async function observe(
  session: ProgramSession,
  { check, routes = [], stage, served, only, batch, isContinued = false }: ObserveOptions,
): Promise<RankObservation> {
  const { gpu, source } = session;
  const prepared = session.prepared();
  const { program, region } = prepared;
  const observed: ObservedBuffer[] = [];
  const reading = readingOf(session);
  const { view } = reading;
  const poison = check === undefined ? undefined : await createPoison(gpu, `rank ${program.rank}`);
  const effort = check === "brief" ? brief : thorough;
  const own = program.instructions.filter(({ origin }) => origin.serves === served?.phase);
  const part = { ...program, instructions: own };
  const checker =
    poison && createRankChecker(part, source, { ...view, effort }, region, poison, served);
  const show = async (instruction: ObserveInstruction): Promise<void> => {
    const { origin, observation, buffer } = instruction;
    const { layer, microBatch } = origin;
    observed.push({ layer, microBatch, observation, bytes: await readAll(view, buffer) });
    const ids = forcedIds(instruction, routes);
    if (ids === undefined) return;
    const forced = region(buffer);
    gpu.device.queue.writeBuffer(forced.buffer, forced.offset, ids);
  };
  try {
    if (!isContinued) await session.restore();
    await checker?.begin();
    if (served === undefined) session.clearDigests();
    await session.step({
      ...(stage === undefined ? {} : { stage }),
      ...(served === undefined ? {} : { served: prepareServedStep(prepared, served, source) }),
      ...(batch === undefined ? {} : { batch }),
      isContinued,
      inspects: (instruction) =>
        (instruction.op === "observe" && isShown(instruction, only)) ||
        checker?.stopsAt(instruction) === true,
      async before(instruction, index) {
        reading.moveTo(index);
        if (instruction.op !== "observe") await checker?.before(instruction);
      },
      inspect: async (instruction) =>
        instruction.op === "observe" ? show(instruction) : checker?.after(instruction),
    });
    if (!isContinued && stage === undefined) observed.push(...(await stateLeft(session)));
    const report = checker?.report();
    return { rank: program.rank, observed, ...(report && { check: report }) };
  } finally {
    reading.end();
    poison?.destroy();
  }
}

/** By the step that was taken since digests were cleared. */
async function stateLeft(session: ProgramSession): Promise<ObservedBuffer[]> {
  return (await session.readState()).map(({ sums, ...shown }) => ({
    ...shown,
    bytes: new Uint8Array(Uint32Array.from(sums).buffer),
  }));
}

function isShown({ observation: { kind } }: ObserveInstruction, only: ObserveOptions["only"]) {
  return only === undefined || kind === "loss" || kind === "update";
}

interface Reading {
  readonly view: Omit<CheckView, "effort" | "before">;
  /** Where the step is. */
  moveTo(instruction: number): void;
  end(): void;
}

/** Tells of progress at every piece: a large check takes longer than a rank may seem to stand still. */
function readingOf({ gpu, prepared, onProgress }: ProgramSession): Reading {
  const { program, region, declaration } = prepared();
  let at: number | undefined;
  const onPiece = (): void => onProgress("readback", at);
  const onHost = (): void => onProgress("host", at);
  const reader = createReader(gpu, `rank ${program.rank}`, onPiece);
  return {
    moveTo(instruction) {
      at = instruction;
    },
    end: () => reader.destroy(),
    view: {
      rank: program.rank,
      async read(id, ranges) {
        const { buffer, offset: start } = region(id);
        const moved = ranges.map(({ offset, bytes }) => ({ offset: start + offset, bytes }));
        onPiece();
        const bytes = new Uint8Array(await reader.read(buffer, moved));
        onHost();
        return bytes;
      },
      bytesOf: (id) => region(id).size,
      dtypeOf: (id) => declaration(id).dtype,
      async compute(plain) {
        onPiece();
        const bytes = await computeAgain(gpu, prepared(), plain);
        onHost();
        return bytes;
      },
      async pause() {
        onHost();
        await setImmediate();
      },
      random: Math.random,
    },
  };
}

/** This rank's part of the choices that it is to follow. */
function forcedIds(
  { origin, observation }: ObserveInstruction,
  routes: readonly ForcedRoutes[],
): Uint32Array<ArrayBuffer> | undefined {
  if (observation.kind !== "routes") return undefined;
  const { rowOffset, rows, topK } = observation;
  return routes
    .find(({ layer, microBatch }) => layer === origin.layer && microBatch === origin.microBatch)
    ?.ids.slice(rowOffset * topK, (rowOffset + rows) * topK);
}
