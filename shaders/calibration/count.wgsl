// count: one more. A dispatch that costs next to nothing but itself, and that waits for the one before.
//
// counter   u32 [1]
// dispatch  1, 1, 1
@group(0) @binding(0) var<storage, read_write> counter: array<u32>;

@compute @workgroup_size(1)
fn main() {
  counter[0] += 1u;
}
