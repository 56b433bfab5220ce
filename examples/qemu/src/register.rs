//! A device register: the only place where this crate turns a number into memory.

/// A device register of type `T` (`u8` or `u32`), at a fixed address.
pub(crate) struct Register<T>(*mut T);

impl<T: Copy> Register<T> {
    /// The register at `address`.
    ///
    /// # Safety
    ///
    /// `address` is that of a device register of this width: aligned, always there, and no memory
    /// that Rust manages.
    pub(crate) const unsafe fn at(address: usize) -> Self {
        Self(address as *mut T)
    }

    pub(crate) fn read(&self) -> T {
        // SAFETY: `at` was promised a device register.
        unsafe { self.0.read_volatile() }
    }

    pub(crate) fn write(&self, value: T) {
        // SAFETY: `at` was promised a device register.
        unsafe { self.0.write_volatile(value) }
    }
}
