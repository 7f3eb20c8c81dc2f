// Errors and warnings as SARIF 2.1.0, which code hosts show beside the lines of a plan. What holds is no
// finding there.
//
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/

import type { Diagnostic } from "../../plan/diagnostic.ts";
import { shardbenchVersion } from "../../package_versions.ts";

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
        readonly defaultConfiguration: { readonly level: "error" | "warning" };
      }[];
    };
  };
  readonly columnKind: "utf16CodeUnits";
  readonly results: readonly SarifResult[];
}

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: "error" | "warning";
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string };
      readonly region: { readonly startLine: number; readonly startColumn: number };
    };
  }[];
}

type Finding = Diagnostic & { readonly severity: "error" | "warning" };

/** @param file stands in for the place of diagnostics that have none */
export function sarifLog(diagnostics: readonly Diagnostic[], file: string): SarifLog {
  const findings = diagnostics.filter((each): each is Finding => each.severity !== "info");
  const first = new Map<string, Finding>();
  for (const each of findings) if (!first.has(each.code)) first.set(each.code, each);
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
              defaultConfiguration: { level: severity },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        results: findings.map(({ code, severity, message, hint, position }) => ({
          ruleId: code,
          ruleIndex: codes.indexOf(code),
          level: severity,
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
}

/** Relative paths stay relative, so that a host finds them in the checkout. */
function uriOf(file: string): string {
  const path = file.replaceAll("\\", "/");
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  if (/^[A-Za-z]:\//.test(path)) return `file:///${encoded.replace("%3A", ":")}`;
  return path.startsWith("/") ? `file://${encoded}` : encoded.replace(/^\.\//, "");
}
