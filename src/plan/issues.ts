// What the schema found, as diagnostics of ours.

import type { z } from "zod";
import type { Diagnostic } from "./diagnostic.ts";
import { type Path, valueAt } from "./document.ts";
import { keysAllowedAt } from "./schema_keys.ts";
import { maxFaults } from "./syntax.ts";
import { suggest } from "./suggestion.ts";

type Issue = z.core.$ZodIssue;
type Finding = Omit<Diagnostic, "severity" | "position">;

/** What a key or word that nobody knows may mean. */
export interface Suggestion {
  readonly meant: string;
}

/** One diagnostic per fault; several for an issue that names several keys. */
export function issueDiagnostics(issue: Issue, root: unknown): Diagnostic[] {
  return findings(issue, root).map((finding) =>
    Object.assign(finding, { severity: "error" as const }),
  );
}

function findings(issue: Issue, root: unknown): Finding[] {
  const path = issue.path.map((key) => (typeof key === "symbol" ? String(key) : key));
  const found = valueAt(root, path);
  const base = { path };
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys
        .slice(0, maxFaults)
        .map((key) => unknownKey([...path, key], keysAllowedAt(path, root)));
    case "invalid_type":
      if (found === undefined) return [missingKey(path)];
      if (typeof found === "number" && !Number.isFinite(found)) {
        return [
          { ...base, code: "not-finite", message: `${named(path)} must be finite, found ${found}` },
        ];
      }
      return [
        {
          ...base,
          code: "wrong-type",
          message: `${named(path)} must be ${nameOfType(issue.expected)}, found ${shown(found)}`,
        },
      ];
    case "invalid_value":
      return [notOneOf(path, found, issue.values.map(String))];
    case "invalid_union": {
      if (found === undefined) return [missingKey(path)];
      const options = "options" in issue ? issue.options : undefined;
      if (Array.isArray(options)) return [notOneOf(path, found, options.map(String))];
      return unionFindings(issue, path, found, root);
    }
    case "too_small":
    case "too_big":
      return [outOfRange(issue, path, found)];
    case "invalid_format":
    case "not_multiple_of":
    case "invalid_key":
    case "invalid_element":
    case "custom":
      return [
        {
          ...base,
          code: "invalid-value",
          message: `${named(path)} ${issue.message}, found ${shown(found)}`,
        },
      ];
  }
}

/** A union says in words of its own what it takes; where the fault lies deeper, that is named. */
function unionFindings(
  issue: z.core.$ZodIssueInvalidUnion,
  path: Path,
  found: unknown,
  root: unknown,
): Finding[] {
  const inner = deepest(issue.errors);
  if (inner !== undefined) {
    return inner.flatMap((each) => findings({ ...each, path: [...path, ...each.path] }, root));
  }
  const notFinite = typeof found === "number" && !Number.isFinite(found);
  const outside = issue.errors.flat().some(({ code }) => code === "too_small");
  const code = notFinite ? "not-finite" : outside ? "out-of-range" : "wrong-type";
  return [{ code, path, message: `${named(path)} ${issue.message}, found ${shown(found)}` }];
}

/** The issues of the kind of value that was probably meant: it gets furthest, with the fewest faults. */
function deepest(kinds: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const depthOf = (issues: readonly Issue[]): number =>
    Math.max(0, ...issues.map(({ path }) => path.length));
  const [best] = kinds.toSorted((a, b) => depthOf(b) - depthOf(a) || a.length - b.length);
  return best !== undefined && depthOf(best) > 0 ? best.slice(0, maxFaults) : undefined;
}

function unknownKey(path: Path, known: readonly string[]): Finding {
  const key = String(path.at(-1));
  const near = suggest(key, known);
  return {
    code: "unknown-key",
    path,
    message: `unknown key ${JSON.stringify(key)}`,
    hint:
      near === undefined
        ? `the keys known here are ${known.join(", ")}`
        : `did you mean ${JSON.stringify(near)}?`,
    ...(near === undefined ? {} : { found: { meant: near } satisfies Suggestion }),
  };
}

function missingKey(path: Path): Finding {
  return {
    code: "missing-key",
    path,
    message: `${named(path)} is missing`,
    hint: `add the key ${JSON.stringify(path.at(-1))}`,
  };
}

function notOneOf(path: Path, found: unknown, known: readonly string[]): Finding {
  if (found === undefined) return missingKey(path);
  const near = typeof found === "string" ? suggest(found, known) : undefined;
  return {
    code: "invalid-value",
    path,
    message: `${named(path)} must be one of ${known.join(", ")}, found ${shown(found)}`,
    ...(near === undefined
      ? {}
      : {
          hint: `did you mean ${JSON.stringify(near)}?`,
          found: { meant: near } satisfies Suggestion,
        }),
  };
}

function outOfRange(
  issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
  path: Path,
  found: unknown,
): Finding {
  const isSize = issue.origin === "array" || issue.origin === "string";
  const limit =
    issue.code === "too_small"
      ? `${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}`
      : `${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}`;
  const isShare = path[0] === "claims" && issue.code === "too_big";
  return {
    code: isSize ? "too-short" : "out-of-range",
    path,
    message: isSize
      ? `${named(path)} must not be empty`
      : `${named(path)} must be ${limit}, found ${shown(found)}`,
    ...(isShare ? { hint: "shares are written from 0 to 1: 95 % is 0.95" } : {}),
  };
}

function nameOfType(expected: string): string {
  const names: Record<string, string> = {
    int: "a whole number",
    number: "a number",
    string: "a text",
    boolean: "true or false",
    array: "a list",
    object: "an object with keys",
    record: "an object with keys",
  };
  return names[expected] ?? expected;
}

function named(path: Path): string {
  return path.length === 0 ? "the plan" : path.join(".");
}

/** A value for a message: short, whatever it is. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "nothing");
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
