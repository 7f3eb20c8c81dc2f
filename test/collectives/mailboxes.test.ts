import { expect, test } from "vitest";
import { laneOf } from "../../src/program/exchange/lanes.ts";
import { mailboxPlans } from "../../src/collectives/mailboxes.ts";
import { messagesOf } from "../../src/program/exchange/workspace.ts";
import { isCollective } from "../../src/program/program.ts";
import { lower } from "../../src/program/lower.ts";
import { plans } from "../support/plans.ts";

test.each(plans)("$name: every message fits its staging buffer and its mailbox", (plan) => {
  const program = lower(plan);
  const mailboxes = mailboxPlans([program]);
  for (const rank of program.ranks) {
    for (const instruction of rank.instructions) {
      if (!isCollective(instruction)) continue;
      for (const [hop, chunks] of messagesOf(instruction, rank.rank).entries()) {
        if (chunks.length === 0) continue;
        const bytes = Math.max(...chunks);
        const staging = rank.buffers.filter(({ role }) => role === "staging");
        expect(Math.max(...staging.map((buffer) => buffer.bytes))).toBeGreaterThanOrEqual(bytes);
        const away = instruction.to.filter((reader) => reader !== rank.rank);
        const lane = laneOf(instruction.channel, hop === 0 ? 0 : 1);
        const mailbox = mailboxes.find(
          ({ channel, source }) => channel === lane && source === rank.rank,
        );
        expect(mailbox?.bytes ?? 0).toBeGreaterThanOrEqual(bytes);
        expect(mailbox?.depth ?? 0).toBeGreaterThanOrEqual(chunks.length);
        expect(mailbox?.readers ?? []).toEqual(expect.arrayContaining(away));
      }
    }
  }
});

test("there is one mailbox per lane and source", () => {
  for (const plan of plans) {
    const keys = mailboxPlans([lower(plan)]).map(({ channel, source }) => `${channel} ${source}`);
    expect(new Set(keys).size).toBe(keys.length);
  }
});
