//! Servers that incidents take away for a time.

/// What incidents take of the servers. The number of servers may change meanwhile: what is taken is taken of what there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Away {
    /// So many servers.
    pub servers: u32,
    /// Which share of the others is left, 0 to 1.
    pub share_left: f64,
}

impl Away {
    /// Nothing is taken.
    pub const NONE: Self = Self { servers: 0, share_left: 1.0 };

    /// How many of `servers` are left, to the nearest whole one.
    pub fn left(self, servers: u32) -> u32 {
        if self == Self::NONE {
            return servers;
        }
        libm::round(f64::from(servers.saturating_sub(self.servers)) * self.share_left) as u32
    }
}
