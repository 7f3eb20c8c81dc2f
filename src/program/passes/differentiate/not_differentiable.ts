/** What no rule of the backward pass covers; the message names the layer and what it has. */
export class NotDifferentiable extends Error {
  override readonly name = "NotDifferentiable";
}
