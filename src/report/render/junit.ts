// Gates as JUnit XML, as CI services read it: a test case for each; those left open are skipped.

import type { Gate } from "../../result/gate.ts";
import { htmlText } from "./html_text.ts";

export function junitXml(plan: string, gates: readonly Gate[]): string {
  const count = (state: Gate["state"]) => gates.filter((gate) => gate.state === state).length;
  const cases = gates.map(({ name, state, message }) => {
    const text = htmlText(message);
    const inner =
      state === "failed"
        ? `<failure message="${text}"/>`
        : state === "open"
          ? `<skipped message="${text}"/>`
          : `<system-out>${text}</system-out>`;
    return `    <testcase classname="shardbench" name="${htmlText(name)}">${inner}</testcase>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="${htmlText(plan)}" tests="${gates.length}" failures="${count("failed")}" skipped="${count("open")}">
${cases.join("\n")}
  </testsuite>
</testsuites>
`;
}
