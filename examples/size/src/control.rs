//! What the proof has to catch: an index that may be out of range.

pub fn call() {
    let index: u32 = crate::unknown();
    crate::seen([1_u8, 2, 3][index as usize]);
}
