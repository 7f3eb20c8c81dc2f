// What experts give has been weighed before.
fn weightOfChoice(choice: u32) -> f32 {
  return 1.0;
}
