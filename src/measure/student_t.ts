// How much wider than a normal one a 95 % interval is when the spread itself comes from a few values.

/** Upper 2.5 % points of Student's t with 1 … 10 degrees of freedom. */
const points = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/** Upper 2.5 % point of the normal distribution. */
export const NORMAL_POINT = 1.959964;

/**
 * Upper 2.5 % point of Student's t; `degrees` need not be whole, and less than one counts as one.
 *
 * Between the table's entries it is interpolated in 1 / degrees; beyond, Abramowitz & Stegun 26.7.5.
 */
export function studentPoint(degrees: number): number {
  const most = points.length;
  const asked = Math.max(1, degrees);
  if (asked >= most) {
    const z = NORMAL_POINT;
    const first = (z ** 3 + z) / 4;
    const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
    return z + first / asked + second / asked ** 2;
  }
  const whole = Math.floor(asked);
  const below = points[whole - 1] ?? Number.NaN;
  const above = points[whole] ?? Number.NaN;
  const passed = (1 / whole - 1 / asked) / (1 / whole - 1 / (whole + 1));
  return below + (above - below) * passed;
}
