// Decides `[ … ]`, `test` and `[[ … ]]` as far as the text does.

import type { TestExpression, Word } from "unbash";
import { expandPattern, expandRegex, expandValue, type Scope } from "./expand.ts";
import { globMatches } from "./glob.ts";
import { regexMatch } from "./regex.ts";
import { assign } from "./shell.ts";
import { firstUnknown, knownText, literal, type Scalar, textOf, type Unknown } from "./value.ts";

/** How a command ends: with success, without, or as the text does not say. */
export type Status = boolean | Unknown;

export function isDecided(status: Status): status is boolean {
  return typeof status === "boolean";
}

export function not(status: Status): Status {
  return isDecided(status) ? !status : status;
}

const files = "asks for a file";

/** `[[ … ]]` */
export function decideTest(expression: TestExpression, scope: Scope): Status {
  scope.script.spend(1);
  switch (expression.type) {
    case "TestGroup":
      return decideTest(expression.expression, scope);
    case "TestNot": {
      const status = decideTest(expression.operand, scope);
      return expression.negations.length % 2 === 1 ? not(status) : status;
    }
    case "TestLogical":
      return decideAll(expression.operator, expression.operands, scope);
    case "TestUnary":
      return decideUnary(expression.operator, expandValue(expression.operand, scope), scope);
    case "TestBinary":
      return decideBinary(expression.operator, expression.left, expression.right, scope);
  }
}

function decideAll(
  operator: "&&" | "||",
  operands: readonly TestExpression[],
  scope: Scope,
): Status {
  let open: Unknown | undefined;
  for (const operand of operands) {
    const status = decideTest(operand, scope);
    if (!isDecided(status)) open ??= status;
    else if (status === (operator === "||")) return status;
  }
  return open ?? operator === "&&";
}

function decideBinary(operator: string, left: Word, right: Word, scope: Scope): Status {
  const value = expandValue(left, scope);
  if (operator === "=~") return decideMatch(value, right, scope);
  if (operator !== "==" && operator !== "=" && operator !== "!=") {
    return compare(operator, value, expandValue(right, scope), scope);
  }
  const pattern = expandPattern(right, scope);
  if (!Array.isArray(pattern)) return compare(operator, value, expandValue(right, scope), scope);
  const whole = knownText(value);
  if (whole === undefined) return compare(operator, value, expandValue(right, scope), scope);
  scope.script.spend(whole.length * (pattern.length + 1));
  return globMatches(whole, pattern) === (operator !== "!=");
}

/** `[[ value =~ right ]]`, whose groups `BASH_REMATCH` has. */
function decideMatch(value: Scalar, right: Word, scope: Scope): Status {
  const { script, shell } = scope;
  const expression = expandRegex(right, scope);
  if (typeof expression !== "string") return expression;
  const whole = knownText(value);
  if (whole === undefined) return firstUnknown(value) ?? false;
  script.spend(whole.length + expression.length);
  const groups = regexMatch(whole, expression);
  if (groups === undefined) {
    return { written: `${whole} =~ ${expression}`, why: "is a test that is not followed" };
  }
  if (groups === null) return false;
  const elements = groups.map((group, index) => [`${index}`, literal(group, 0)] as const);
  assign(script, shell, "BASH_REMATCH", { kind: "array", elements: new Map(elements) });
  return true;
}

/** The words between `[` and `]`. */
export function decideWords(words: readonly Scalar[], scope: Scope): Status {
  const texts = words.map(textOf);
  scope.script.spend(words.length);
  const or = texts.indexOf("-o");
  if (or > 0) return either(words.slice(0, or), words.slice(or + 1), scope);
  const and = texts.indexOf("-a");
  if (and > 0) {
    return not(
      either2(decideWords(words.slice(0, and), scope), decideWords(words.slice(and + 1), scope)),
    );
  }
  const [first = [], second = [], third = []] = words;
  if (words.length === 0) return false;
  if (texts[0] === "!") return not(decideWords(words.slice(1), scope));
  if (words.length === 1) return decideUnary("-n", first, scope);
  if (words.length === 2) return decideUnary(texts[0] ?? "", second, scope);
  if (words.length === 3) return compare(texts[1] ?? "", first, third, scope);
  return { written: texts.join(" "), why: "is a test that is not followed" };
}

function either(left: readonly Scalar[], right: readonly Scalar[], scope: Scope): Status {
  const [a, b] = [decideWords(left, scope), decideWords(right, scope)];
  if (a === true || b === true) return true;
  return isDecided(a) ? b : a;
}

/** Whether one of two does not hold. */
function either2(a: Status, b: Status): Status {
  if (a === false || b === false) return true;
  return isDecided(a) ? not(b) : a;
}

function decideUnary(operator: string, value: Scalar, { script }: Scope): Status {
  const text = textOf(value);
  if (operator === "-v") return script.pinned.has(text) || { written: text, why: files };
  if (operator !== "-z" && operator !== "-n") return { written: `${operator} ${text}`, why: files };
  // A variable that the text does not set counts as empty, as it does in ${NAME:-default}.
  const known = value.filter(({ unknown }) => unknown?.unset !== true);
  const unknown = firstUnknown(known);
  const isEmpty = textOf(known) === "";
  if (unknown !== undefined && isEmptyFor(known)) return unknown;
  const [unset] = value.flatMap(({ unknown: each }) => each?.variable ?? []);
  if (isEmpty && unset !== undefined) script.defaults.set(unset, "");
  return isEmpty === (operator === "-z");
}

/** Whether the known part of a text is empty. */
function isEmptyFor(pieces: Scalar): boolean {
  return textOf(pieces.filter(({ unknown }) => unknown === undefined)) === "";
}

function compare(operator: string, left: Scalar, right: Scalar, { script }: Scope): Status {
  const [a, b] = [knownText(left), knownText(right)];
  if (a === undefined || b === undefined) {
    const unknown = firstUnknown(left) ?? firstUnknown(right);
    const other = a ?? b;
    // What a variable is compared with are values that it may have.
    if (unknown?.variable !== undefined && other !== undefined && other !== "") {
      const values = script.compared.get(unknown.variable) ?? new Set();
      script.compared.set(unknown.variable, values.add(other));
    }
    return unknown ?? false;
  }
  const numbers = [Number(a || Number.NaN), Number(b || Number.NaN)] as const;
  switch (operator) {
    case "=":
    case "==":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case ">":
      return a > b;
    case "-eq":
      return numbers[0] === numbers[1];
    case "-ne":
      return numbers[0] !== numbers[1];
    case "-lt":
      return numbers[0] < numbers[1];
    case "-le":
      return numbers[0] <= numbers[1];
    case "-gt":
      return numbers[0] > numbers[1];
    case "-ge":
      return numbers[0] >= numbers[1];
    default:
      return { written: `${a} ${operator} ${b}`, why: "is a test that is not followed" };
  }
}

/** Of `((…))`. */
export function arithmeticStatus(value: number | Unknown): Status {
  return typeof value === "number" ? value !== 0 : value;
}
