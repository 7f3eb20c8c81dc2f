// The value of `$((…))`, `((…))` and `let`.

import type {
  ArithmeticCommandExpansion,
  ArithmeticExpression,
  ArithmeticWord,
  ParsedScript,
} from "unbash";
import { assign, type Script, type Shell } from "./shell.ts";
import type { SourceText } from "./source_text.ts";
import {
  firstUnknown,
  knownText,
  literal,
  type Scalar,
  scalar,
  scalarOf,
  type Unknown,
} from "./value.ts";

interface Place {
  readonly script: Script;
  readonly shell: Shell;
  readonly text: SourceText;
  readonly substitute: (script: ParsedScript) => Scalar | undefined;
}

/** A whole number, or what of it is not known. */
export function evaluateArithmetic(
  expression: ArithmeticExpression | undefined,
  place: Place,
): number | Unknown {
  place.script.spend(1);
  if (expression === undefined) return 0;
  switch (expression.type) {
    case "ArithmeticWord":
      return wordValue(expression, place);
    case "ArithmeticGroup":
      return evaluateArithmetic(expression.expression, place);
    case "ArithmeticTernary": {
      const test = evaluateArithmetic(expression.test, place);
      if (typeof test !== "number") return test;
      return evaluateArithmetic(test === 0 ? expression.alternate : expression.consequent, place);
    }
    case "ArithmeticUnary": {
      const value = evaluateArithmetic(expression.operand, place);
      if (typeof value !== "number") return value;
      return unary(expression.operator, value, expression, place);
    }
    case "ArithmeticBinary": {
      const right = evaluateArithmetic(expression.right, place);
      const { operator } = expression;
      const assigns = /^(?:[-+*/%&|^]|<<|>>)?=$/.test(operator);
      if (operator === "=" && typeof right === "number")
        return store(expression.left, right, place);
      const left = evaluateArithmetic(expression.left, place);
      if (typeof left !== "number") return left;
      if (typeof right !== "number") return right;
      const result = binary(assigns ? operator.slice(0, -1) : operator, left, right);
      if (result === undefined || !Number.isSafeInteger(result)) {
        return notFollowed(operator);
      }
      return assigns ? store(expression.left, result, place) : result;
    }
    case "ArithmeticCommandExpansion":
      return outputValue(expression, place);
  }
}

function outputValue(
  { script, text }: ArithmeticCommandExpansion,
  { substitute }: Place,
): number | Unknown {
  const output = script && substitute(script);
  if (output === undefined) {
    return { written: text, why: "is the output of a program, and none is run" };
  }
  return firstUnknown(output) ?? numberOf(knownText(output)?.trim() ?? "") ?? notFollowed(text);
}

function notFollowed(written: string): Unknown {
  return {
    written,
    why: "is arithmetic that is not followed",
  };
}

function nameOf(value: string): string | undefined {
  return /^\$?\{?([A-Za-z_]\w*)\}?$/.exec(value)?.[1];
}

function wordValue({ value }: ArithmeticWord, place: Place): number | Unknown {
  const written = value.trim().replaceAll(/^"|"$/g, "");
  const number = numberOf(written);
  if (number !== undefined) return number;
  const withDefault = /^\$\{([A-Za-z_]\w*):?-(\d+)\}$/.exec(written);
  const name = withDefault?.[1] ?? nameOf(written);
  if (name === undefined) return notFollowed(written);
  const { script, shell } = place;
  script.used.add(name);
  const given = script.pinned.get(name);
  const variable = shell.variables.get(name);
  if (given === undefined && variable === undefined) {
    if (withDefault?.[2] !== undefined) {
      script.defaults.set(name, withDefault[2]);
      return Number(withDefault[2]);
    }
    return { written: `$${name}`, why: "the text does not set", variable: name, unset: true };
  }
  const pieces = variable === undefined ? [] : scalarOf(variable.value);
  const text = given ?? knownText(pieces);
  if (text === undefined) return firstUnknown(pieces) ?? notFollowed(written);
  // An empty value counts as 0; a value that is a name or an expression is not followed further.
  return text.trim() === "" ? 0 : (numberOf(text.trim()) ?? notFollowed(written));
}

function numberOf(text: string): number | undefined {
  if (/^0[xX][0-9a-fA-F]{1,12}$/.test(text)) return Number(text);
  if (/^[-+]?0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  return /^[-+]?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function store(
  target: ArithmeticExpression,
  result: number,
  { script, shell, text }: Place,
): number | Unknown {
  const name = target.type === "ArithmeticWord" ? nameOf(target.value.trim()) : undefined;
  if (name === undefined) return notFollowed("=");
  assign(script, shell, name, scalar(literal(String(result), text.at(target.pos))));
  return result;
}

function unary(
  operator: string,
  value: number,
  { operand, prefix }: { readonly operand: ArithmeticExpression; readonly prefix: boolean },
  place: Place,
): number | Unknown {
  if (operator === "++" || operator === "--") {
    const stored = store(operand, operator === "++" ? value + 1 : value - 1, place);
    return prefix ? stored : value;
  }
  if (operator === "!") return value === 0 ? 1 : 0;
  if (operator === "-") return -value;
  return operator === "~" ? ~value : value;
}

function binary(operator: string, a: number, b: number): number | undefined {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return b === 0 ? undefined : Math.trunc(a / b);
    case "%":
      return b === 0 ? undefined : a % b;
    case "**":
      return b < 0 ? undefined : a ** b;
    case "<<":
      return a * 2 ** b;
    case ">>":
      return Math.floor(a / 2 ** b);
    case "<":
      return Number(a < b);
    case "<=":
      return Number(a <= b);
    case ">":
      return Number(a > b);
    case ">=":
      return Number(a >= b);
    case "==":
      return Number(a === b);
    case "!=":
      return Number(a !== b);
    case "&&":
      return Number(a !== 0 && b !== 0);
    case "||":
      return Number(a !== 0 || b !== 0);
    case ",":
      return b;
    default:
      return undefined;
  }
}
