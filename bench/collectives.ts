// Collectives against what their bytes cost alone, in one run: reading back, copying and uploading without
// exchanging anything, in chunks or in one piece, and a plain copy through memory. Then the latency of the
// smallest all-reduce. Results are checked by the tests of the same programs.

import { afterAll, expect, test } from "vitest";
import type { AdapterChoice } from "../src/gpu/adapter.ts";
import { median } from "../src/measure/statistics.ts";
import { algorithmNames } from "../src/program/exchange/all_reduce/algorithms.ts";
import type { SpanKind, StepTrace } from "../src/program/trace.ts";
import { type RenderedRow, renderTable } from "../src/report/render/table.ts";
import { openRanks } from "../src/runtime/coordinator.ts";
import { addCase, type Case } from "../test/collectives/collective_cases.ts";
import { drafts, programOf } from "../test/collectives/small_programs.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { cpuMsOf } from "./cpu_time.ts";
import { openTransfersAlone, type TransfersAlone } from "./transfers_alone.ts";

const total = 64 * 2 ** 20;
const rounds = 9;
/** Steps of small collectives before they are timed. */
const warmUps = 20;

interface Least {
  readonly readback: number;
  readonly upload: number;
  /** Through memory that ranks share. */
  readonly moved: number;
  /** From where they are sent to where they are received, on the same GPU. */
  readonly kept: number;
}

interface Contest {
  readonly name: string;
  readonly ranks: number;
  readonly one: Case;
  /** Bytes that each rank must handle whatever the implementation. */
  readonly least: Least;
}

function members(ranks: number): number[] {
  return Array.from({ length: ranks }, (_, rank) => rank);
}

const contests = [2, 4].flatMap((ranks): Contest[] => {
  const groups = { from: members(ranks), to: members(ranks) };
  const piece = total / ranks;
  const gather: Contest = {
    name: "all-gather",
    ranks,
    one: { layer: "x", op: "all-gather", ...groups, count: () => piece / 4 },
    least: { readback: piece, upload: total - piece, moved: piece, kept: piece },
  };
  const reduce = algorithmNames.map((algorithm): Contest => ({
    name: `all-reduce ${algorithm}`,
    ranks,
    one: { layer: "x", op: "all-reduce", ...groups, count: () => total / 4, algorithm },
    // Every summand leaves its GPU, every sum comes to it, through memory that ranks share: what no way of adding
    // can do without. Adding itself is not among it.
    least: { readback: total, upload: total, moved: total, kept: 0 },
  }));
  return [gather, ...reduce];
});

function programFor({ ranks, one }: Contest, repeats = 1) {
  const all = drafts(ranks);
  for (const draft of all) {
    for (let k = 0; k < repeats; k++) {
      addCase(draft, { ...one, layer: `${one.layer}${k}` }, k, "f32", "workspace");
    }
  }
  return programOf(all, "f32");
}

const kinds: readonly SpanKind[] = ["readback", "move", "upload", "reduce", "wait", "host"];

/** Ms per rank of each kind, over the steps. */
function breakdown(traces: readonly StepTrace[]): string {
  const ranks = traces.flatMap((trace) => trace.ranks);
  const parts = kinds.map((kind) => {
    const spans = ranks.flatMap((rank) => rank.spans).filter((span) => span.kind === kind);
    const ms = spans.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
    return `${kind} ${(ms / ranks.length).toFixed(1)}`;
  });
  return `per rank ${parts.join(", ")} ms`;
}

async function measure(
  choice: AdapterChoice,
  alone: TransfersAlone,
  contest: Contest,
): Promise<RenderedRow> {
  const { name, ranks, least } = contest;
  const program = programFor(contest);
  const pool = await openRanks(
    program,
    members(ranks).map(() => choice),
  );
  try {
    const traces: StepTrace[] = [];
    const parts: { copy: number; apart: number; whole: number }[] = [];
    let cpuMs = 0;
    let apartCpuMs = 0;
    // The first round warms up.
    for (let round = 0; round <= rounds; round++) {
      const before = cpuMsOf(pool.pids);
      const trace = await pool.step();
      const stepCpuMs = cpuMsOf(pool.pids) - before;
      const readback = await alone.time(ranks, "readback", least.readback);
      const upload = await alone.time(ranks, "upload", least.upload);
      const moved = await alone.time(ranks, "copy", least.moved);
      const kept = least.kept === 0 ? [] : [await alone.time(ranks, "keep", least.kept)];
      const copy = await alone.time(1, "copy", total);
      const whole = await alone.time(1, "whole", total);
      if (round === 0) continue;
      traces.push(trace);
      const apart = [readback, upload, moved, ...kept];
      parts.push({
        copy: copy.ms,
        apart: apart.reduce((sum, { ms }) => sum + ms, 0),
        whole: whole.ms,
      });
      cpuMs += stepCpuMs;
      for (const taken of apart) apartCpuMs += taken.cpuMs;
    }
    const ms = median(traces.map(({ wallMs }) => wallMs));
    const ratio = (of: (part: (typeof parts)[number]) => number): string =>
      median(traces.map(({ wallMs }, i) => wallMs / of(parts[i] ?? parts[0]!))).toFixed(2);
    const typical = (of: (part: (typeof parts)[number]) => number): string =>
      median(parts.map(of)).toFixed(1);
    return {
      cells: [
        name,
        `${ranks}`,
        ms.toFixed(1),
        ratio(({ apart }) => apart),
        (cpuMs / apartCpuMs).toFixed(2),
        ratio(({ whole }) => whole),
        ratio(({ copy }) => copy),
      ],
      note:
        `${breakdown(traces)}; apart ${typical(({ apart }) => apart)}, ` +
        `whole ${typical(({ whole }) => whole)}, copy ${typical(({ copy }) => copy)} ms`,
    };
  } finally {
    await pool.close();
  }
}

describeOnAdapter("collectives", () => {
  const rows: RenderedRow[] = [];
  const lines: string[] = [];

  afterAll(async () => {
    const { choice, device } = (await testGpu()).report;
    const columns = ["ranks", "ms", "÷ apart", "CPU ÷ apart", "÷ whole", "÷ copy"];
    console.log(
      [
        "",
        `${choice.id} (${device}), 64 MiB, f32, medians of ${rounds} rounds`,
        "apart  reading back, uploading, copying and keeping the least bytes of each rank",
        "       one after the other, in chunks, all ranks at once, nothing exchanged",
        "CPU ÷  CPU time of the ranks over that of apart",
        "whole  64 MiB read back and uploaded in one piece, by one process alone",
        "copy   64 MiB through memory, by one process alone",
        "",
        ...renderTable(
          [{ title: "", align: "left" }, ...columns.map((title) => ({ title }))],
          rows,
        ),
        ...lines,
        "",
      ].join("\n"),
    );
  });

  test("64 MiB on 2 and 4 ranks", async () => {
    const { choice } = (await testGpu()).report;
    const alone = await openTransfersAlone(choice, 4, 2 * total);
    try {
      for (const contest of contests) rows.push(await measure(choice, alone, contest));
    } finally {
      alone.close();
    }
    expect(rows).toHaveLength(contests.length);
  });

  test.each([2, 4])("8 bytes on %i ranks", async (ranks) => {
    const { choice } = (await testGpu()).report;
    const repeats = 100;
    const groups = { from: members(ranks), to: members(ranks) };
    const one: Case = { layer: "x", op: "all-reduce", ...groups, count: () => 2 };
    const program = programFor({ name: "", ranks, one, least: contests[0]!.least }, repeats);
    const timed = {
      ...program,
      ranks: program.ranks.map((rank) => ({
        ...rank,
        instructions: rank.instructions.filter(({ op }) => op !== "observe"),
      })),
    };
    const placement = members(ranks).map(() => choice);
    const pool = await openRanks(timed, placement);
    const alone = await openTransfersAlone(choice, ranks, 8);
    const ratios: number[] = [];
    const contended: number[] = [];
    const each: number[] = [];
    try {
      // Until the ranks' code is compiled.
      for (let step = 0; step < warmUps; step++) await pool.step();
      for (let round = 0; round <= rounds; round++) {
        const { wallMs } = await pool.step();
        const trip = await alone.time(1, "roundTrips", repeats);
        const together = await alone.time(ranks, "roundTrips", repeats);
        if (round === 0) continue;
        ratios.push(wallMs / trip.ms);
        contended.push(wallMs / together.ms);
        each.push((1000 * wallMs) / repeats);
      }
    } finally {
      alone.close();
      await pool.close();
    }
    lines.push(
      `all-reduce of 8 bytes, ${ranks} ranks: ${median(each).toFixed(0)} µs; in round trips of submit and map`,
      `  ${median(ratios).toFixed(1)} of one process alone, ${median(contended).toFixed(1)} of ${ranks} at once`,
    );
    expect(ratios).toHaveLength(rounds);
  });
});
