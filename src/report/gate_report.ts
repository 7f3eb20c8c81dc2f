// What became of each gate, for a terminal, a job's summary, and as JUnit XML.

import type { Gate } from "../result/gate.ts";
import { left, line, paragraph, table, type Report, type TonedText } from "./section.ts";

export function gateReport(plan: string, gates: readonly Gate[]): Report {
  const failed = gates.filter(({ state }) => state === "failed").length;
  return {
    title: [`Gate of ${plan}`],
    sections: [
      {
        blocks: [
          table(
            left("gate", "outcome"),
            gates.map(({ name, state, message }) => ({
              cells: [name, toned(state)],
              prose: [[message]],
            })),
            { columns: [{ title: "found" }], place: "under its row" },
          ),
        ],
      },
      {
        blocks: [
          failed === 0
            ? line([{ text: "passed", tone: "good" }])
            : paragraph([{ text: `${failed} of ${gates.length} failed`, tone: "bad" }]),
        ],
      },
    ],
  };
}

function toned(state: Gate["state"]): TonedText {
  const tones = { passed: "good", failed: "bad", open: "doubtful" } as const;
  return { text: state, tone: tones[state] };
}
