// Diagnostics as SARIF 2.1.0, which code hosts show beside the lines of a plan.
//
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/

import type { Diagnostic, Severity } from "../plan/diagnostic.ts";
import { shardbenchVersion } from "./versions.ts";

const levels = { error: "error", warning: "warning", info: "note" } as const satisfies Record<
  Severity,
  string
>;

export interface SarifLog {
  readonly $schema: string;
  readonly version: "2.1.0";
  readonly runs: readonly SarifRun[];
}

interface SarifRun {
  readonly tool: {
    readonly driver: {
      readonly name: string;
      readonly version: string;
      readonly rules: readonly {
        readonly id: string;
        readonly shortDescription: { readonly text: string };
        readonly defaultConfiguration: { readonly level: "error" | "warning" | "note" };
      }[];
    };
  };
  readonly columnKind: "utf16CodeUnits";
  readonly results: readonly SarifResult[];
}

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: "error" | "warning" | "note";
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string };
      readonly region: { readonly startLine: number; readonly startColumn: number };
    };
  }[];
}

/** @param file stands in for the place of diagnostics that have none */
export const sarifLog = (diagnostics: readonly Diagnostic[], file: string): SarifLog => {
  const first = new Map<string, Diagnostic>();
  for (const each of diagnostics) if (!first.has(each.code)) first.set(each.code, each);
  const codes = [...first.keys()];
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "shardbench",
            version: shardbenchVersion(),
            rules: [...first.values()].map(({ code, severity }) => ({
              id: code,
              shortDescription: { text: code.replaceAll("-", " ") },
              defaultConfiguration: { level: levels[severity] },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        results: diagnostics.map(({ code, severity, message, hint, position }) => ({
          ruleId: code,
          ruleIndex: codes.indexOf(code),
          level: levels[severity],
          message: { text: hint === undefined ? message : `${message}; ${hint}` },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uriOf(position?.file ?? file) },
                region: { startLine: position?.line ?? 1, startColumn: position?.column ?? 1 },
              },
            },
          ],
        })),
      },
    ],
  };
};

/** Relative paths stay relative, so that a host finds them in the checkout. */
const uriOf = (file: string): string => {
  const path = file.replaceAll("\\", "/");
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  if (/^[A-Za-z]:\//.test(path)) return `file:///${encoded.replace("%3A", ":")}`;
  return path.startsWith("/") ? `file://${encoded}` : encoded.replace(/^\.\//, "");
};
