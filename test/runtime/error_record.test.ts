import { expect, test } from "vitest";
import { EnvironmentError } from "../../src/environment_error.ts";
import { NumericsError } from "../../src/numerics_error.ts";
import { recordError, revive } from "../../src/runtime/error_record.ts";

/** As over the channel between two processes. */
function carried(thrown: unknown): Error {
  return revive(structuredClone(recordError(thrown)), "rank 1 failed");
}

test("an error of the environment arrives with code and hint", () => {
  const error = carried(new EnvironmentError("out-of-memory", "full", "use less"));
  expect(error).toBeInstanceOf(EnvironmentError);
  expect(error).toMatchObject({
    code: "out-of-memory",
    hint: "use less",
    message: "rank 1 failed",
  });
});

test("wrong numbers arrive as such", () => {
  const error = carried(new NumericsError("off", 0.5, 1e-5));
  expect(error).toBeInstanceOf(NumericsError);
  expect(error).toMatchObject({ error: 0.5, tolerance: 1e-5, message: "rank 1 failed" });
});

test("a bug arrives as a plain error with the stack of where it was thrown", () => {
  const thrown = new TypeError("x is undefined");
  const error = carried(thrown);
  expect(error.constructor).toBe(Error);
  expect(error.stack).toBe(`Error: rank 1 failed\n${thrown.stack}`);
});

test("what is no error at all arrives in words", () => {
  expect(recordError("nothing")).toEqual({ message: "nothing" });
});
