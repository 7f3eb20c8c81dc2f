// Queries and keys, wherever values lie.
override QKV_QUADS: u32;
