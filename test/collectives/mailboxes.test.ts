import { expect, test } from "vitest";
import { largestMessage, mailboxPlans } from "../../src/collectives/mailboxes.ts";
import { isCollective } from "../../src/program/program.ts";
import { lower } from "../../src/program/lower.ts";
import { plans } from "../support/plans.ts";

test.each(plans)("$name: every message fits its staging buffer and its mailbox", (plan) => {
  const program = lower(plan);
  const mailboxes = mailboxPlans(program);
  for (const rank of program.ranks) {
    for (const instruction of rank.instructions) {
      if (!isCollective(instruction)) continue;
      const bytes = largestMessage(rank, instruction);
      if (!instruction.from.includes(rank.rank) || bytes === 0) continue;
      const staging = rank.buffers.find(({ id }) => id === instruction.staging);
      expect(staging?.bytes).toBeGreaterThanOrEqual(bytes);
      const away = instruction.to.filter((reader) => reader !== rank.rank);
      const mailbox = mailboxes.find(
        ({ channel, source }) => channel === instruction.channel && source === rank.rank,
      );
      expect(mailbox?.bytes ?? 0).toBeGreaterThanOrEqual(away.length === 0 ? 0 : bytes);
      expect(mailbox?.readers ?? []).toEqual(expect.arrayContaining(away));
    }
  }
});

test("there is one mailbox per channel and source", () => {
  for (const plan of plans) {
    const keys = mailboxPlans(lower(plan)).map(({ channel, source }) => `${channel} ${source}`);
    expect(new Set(keys).size).toBe(keys.length);
  }
});
