import { setTimeout } from "node:timers/promises";
import { readdirSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { EnvironmentError } from "../../src/environment_error.ts";
import type { Instruction, Program } from "../../src/program/program.ts";
import { openRanks, type OpenRanksOptions } from "../../src/runtime/coordinator.ts";
import type { RankPool } from "../../src/runtime/rank_pool.ts";
import { declare, drafts, originOf, programOf, uniform } from "../collectives/small_programs.ts";
import { describeOnOneAdapter, testGpu } from "../support/gpu.ts";

/** Longer than a process takes to start, or is not heard, on a slow machine with much else to do. */
const hangMs = 15_000;

const layer = "body/3.linear";

/** Every rank gathers from every other. `broken` ranks lack the staging buffer that they need. */
function gather(ranks: number, broken: readonly number[] = []): Program {
  const all = drafts(ranks);
  const members = all.map(({ rank }) => rank);
  for (const draft of all) {
    const { rank } = draft;
    draft.instructions.push({
      op: "all-gather",
      origin: originOf(layer, 2),
      name: "collect",
      channel: 0,
      dtype: "f32",
      from: members,
      to: members,
      counts: members.map(() => 4),
      send: declare(draft, "x", "weight", "f32", 4, uniform("x", 4)),
      receive: declare(draft, "y", "activation", "f32", 4 * ranks),
    });
    if (!broken.includes(rank)) declare(draft, "out", "staging", "f32", 4);
  }
  return programOf(all, "f32");
}

/** Each of two ranks first waits for what the other sends second. */
function deadlock(): Program {
  const { ranks, ...rest } = gather(2);
  return {
    ...rest,
    ranks: ranks.map((rank) => ({
      ...rank,
      instructions: rank.instructions.flatMap((one): Instruction[] => {
        if (one.op !== "all-gather") return [one];
        return [rank.rank, 1 - rank.rank].map((receiver) => ({
          ...one,
          channel: receiver,
          from: [1 - receiver],
          to: [receiver],
          counts: [4],
        }));
      }),
    })),
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function sharedFiles(): string[] {
  return process.platform === "linux"
    ? readdirSync("/dev/shm").filter((name) => name.startsWith(`shardbench-${process.pid}-`))
    : [];
}

describeOnOneAdapter("what befalls a rank", () => {
  const pools: RankPool[] = [];
  afterEach(async () => {
    const pids = pools.flatMap((pool) => pool.pids);
    await Promise.all(pools.splice(0).map(async (pool) => pool.close()));
    const left = [...pids.filter((pid) => pid !== undefined && isAlive(pid)), ...sharedFiles()];
    if (left.length > 0) throw new Error(`left behind: ${left.join(", ")}`);
  });

  const open = async (program: Program, options: OpenRanksOptions = {}): Promise<RankPool> => {
    const { choice } = (await testGpu()).report;
    const placement = program.ranks.map(() => choice);
    const pool = await openRanks(program, placement, options);
    pools.push(pool);
    return pool;
  };
  const pidOf = (pool: RankPool, rank: number): number => pool.pids[rank] ?? Number.NaN;
  const thrownBy = async (running: Promise<unknown>): Promise<unknown> =>
    running.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  const faultOf = async (running: Promise<unknown>): Promise<EnvironmentError> => {
    const error = await thrownBy(running);
    if (!(error instanceof EnvironmentError)) throw new Error(`not a fault: ${String(error)}`);
    return error;
  };
  /** Steps until one fails. */
  const stepOn = async (pool: RankPool): Promise<never> => {
    for (;;) await pool.step();
  };

  test("control: ranks step again and again, and are gone when closed", async () => {
    const pool = await open(gather(3));
    for (let i = 0; i < 20; i++) expect((await pool.step()).step).toBe(i);
  });

  test.each(["shared-memory", "relay"] as const)(
    "a rank that is killed in mid-run is named, over %s",
    async (transport) => {
      const pool = await open(gather(3), { transport });
      const fault = faultOf(stepOn(pool));
      await setTimeout(100);
      process.kill(pidOf(pool, 1), "SIGKILL");
      const { code, message, hint } = await fault;
      expect(code).toBe("rank-died");
      expect(message).toMatch(/^rank 1 \(\w+\) was killed by SIGKILL (at all-gather|during step)/);
      expect(hint).toContain("memory");
      expect(pool.pids.filter((pid) => pid !== undefined && isAlive(pid))).toEqual([]);
      expect((await faultOf(pool.step())).message).toBe(message);
    },
  );

  test("a rank that is stopped counts as hung", async () => {
    const pool = await open(gather(2), { patience: { hangMs } });
    const fault = faultOf(stepOn(pool));
    process.kill(pidOf(pool, 0), "SIGSTOP");
    const { code, message } = await fault;
    expect(code).toBe("rank-hung");
    expect(message).toMatch(/^rank 0 \(\w+\) has not been heard for \d+\.\d s/);
  });

  test("ranks that wait for each other for ever count as hung, and the message says where", async () => {
    const pool = await open(deadlock(), { patience: { hangMs } });
    const { code, message } = await faultOf(pool.step());
    expect(code).toBe("rank-hung");
    expect(message).toMatch(/rank \d \(\w+\) has waited, as have all that are still at work/);
    expect(message).toContain('at all-gather "collect" (body/3.linear, micro-batch 2)');
  });

  test("a bug in a rank stays one, with the instruction that it was at", async () => {
    const pool = await open(gather(3, [2]));
    const error = await thrownBy(pool.step());
    expect(error).not.toBeInstanceOf(EnvironmentError);
    const { message = "", stack = "" } = error instanceof Error ? error : {};
    expect(message).toMatch(
      /^rank 2 \(\w+\) failed at all-gather "collect" \(body\/3.linear, micro-batch 2\), instruction 1 of 1/,
    );
    expect(message).toContain("takes part without a staging buffer");
    expect(stack).toContain("at runExchange");
  });

  test("a buffer that no adapter can hold keeps its code and hint on the way", async () => {
    const program = gather(2);
    const [first, ...others] = program.ranks;
    const huge = {
      id: "huge",
      role: "weight",
      dtype: "f32",
      shape: [2 ** 38],
      bytes: 2 ** 40,
    } as const;
    const ranks = [{ ...first!, buffers: [...first!.buffers, huge] }, ...others];
    const { code, message, hint } = await faultOf(open({ ...program, ranks }));
    expect(code).toBe("buffer-over-limit");
    expect(message).toMatch(/^rank 0 \(\w+\) failed during open: weight "huge" of rank 0/);
    expect(hint).toContain("split");
  });

  test("a rank that opens another adapter than it was placed on is named", async () => {
    const { report } = await testGpu();
    const program = gather(2);
    const pool = await openRanks(program, [report, report]);
    pools.push(pool);
    const fault = await faultOf(openRanks(program, [report, { ...report, device: "a10" }]));
    expect(fault.code).toBe("no-adapter");
    expect(fault.message).toMatch(
      /^rank 1 was placed on adapter \w+ with device "a10", and opened one with "/,
    );
  });

  test("an interruption ends all ranks at once", async () => {
    const controller = new AbortController();
    const pool = await open(gather(3), { signal: controller.signal });
    const fault = faultOf(stepOn(pool));
    await setTimeout(50);
    controller.abort();
    expect((await fault).code).toBe("interrupted");
  });

  test("an interruption before the first rank has started starts none", async () => {
    const signal = AbortSignal.abort();
    expect((await faultOf(open(gather(2), { signal }))).code).toBe("interrupted");
  });

  test("ranks leave Ctrl-C to the coordinator", async () => {
    const pool = await open(gather(2));
    for (const pid of pool.pids) process.kill(pid ?? Number.NaN, "SIGINT");
    await expect(pool.step()).resolves.toMatchObject({ step: 0 });
  });
});
