//! Numbers with types of their own (RULINGS A33): a height is no ledger time, an organisation no
//! person. The bytes and the JSON of such a number are those of the integer inside; serde tells a
//! view the type's name, so that no view has to guess from a field's name what a number means.
//!
//! Here stand the numbers that proofs speak of; the ids of everything else in the ledger are
//! declared above, by [`crate::number!`]. Absent on purpose: arithmetic beyond what cannot
//! overflow. Sizes of the log and places in it are plain `u64`: the tree calculates with them.

/// Declares numbers with types of their own: `Name(u64)` has the bytes and the JSON of the `u64`.
#[macro_export]
macro_rules! number {
    ($( $(#[$doc:meta])* $name:ident($inner:ty); )*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl ::bincode::Encode for $name {
            fn encode<E: ::bincode::enc::Encoder>(
                &self,
                encoder: &mut E,
            ) -> Result<(), ::bincode::error::EncodeError> {
                self.0.encode(encoder)
            }
        }

        impl<C> ::bincode::Decode<C> for $name {
            fn decode<D: ::bincode::de::Decoder<Context = C>>(
                decoder: &mut D,
            ) -> Result<$name, ::bincode::error::DecodeError> {
                <$inner as ::bincode::Decode<C>>::decode(decoder).map($name)
            }
        }

        impl<'de, C> ::bincode::BorrowDecode<'de, C> for $name {
            fn borrow_decode<D: ::bincode::de::BorrowDecoder<'de, Context = C>>(
                decoder: &mut D,
            ) -> Result<$name, ::bincode::error::DecodeError> {
                <$inner as ::bincode::BorrowDecode<'de, C>>::borrow_decode(decoder).map($name)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_newtype_struct(stringify!($name), &self.0)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<$name, D::Error> {
                <$inner as ::serde::Deserialize>::deserialize(deserializer).map($name)
            }
        }
    )* };
}

number! {
    /// Number of an organisation: a company, an office or an observer. Validators are named by it.
    OrganisationId(u32);
    /// Number of an epoch of validators, from 0.
    EpochId(u32);
    /// Version of the rules (RULINGS A18), from 1.
    ProtocolVersion(u32);
    /// Height of a block; the genesis is 0.
    Height(u64);
    /// Ledger time in milliseconds since 1970-01-01T00:00Z, without leap seconds.
    LedgerTime(u64);
}

impl Height {
    /// The height above.
    pub fn next(self) -> Height {
        Height(self.0.saturating_add(1))
    }

    /// So many blocks above.
    pub fn plus(self, blocks: u64) -> Height {
        Height(self.0.saturating_add(blocks))
    }

    /// The height below; 0 below 0.
    pub fn previous(self) -> Height {
        Height(self.0.saturating_sub(1))
    }
}

impl LedgerTime {
    /// The first instant: 1970-01-01T00:00Z.
    pub const ZERO: LedgerTime = LedgerTime(0);
    /// The last instant that the type holds.
    pub const MAX: LedgerTime = LedgerTime(u64::MAX);
    /// The last instant that a seal may bear: the last millisecond of the year 9999 in UTC (RULINGS
    /// A37). One block cannot bring the chain to a time after which no later block can come.
    pub const LAST: LedgerTime = LedgerTime(253_402_300_799_999);

    /// So many milliseconds later, at most [`LedgerTime::MAX`].
    pub fn plus_ms(self, ms: u64) -> LedgerTime {
        LedgerTime(self.0.saturating_add(ms))
    }

    /// So many milliseconds earlier, at least [`LedgerTime::ZERO`].
    pub fn minus_ms(self, ms: u64) -> LedgerTime {
        LedgerTime(self.0.saturating_sub(ms))
    }
}

impl EpochId {
    /// The epoch after this one.
    pub fn next(self) -> EpochId {
        EpochId(self.0.saturating_add(1))
    }

    /// The epoch before this one.
    pub fn before(self) -> Option<EpochId> {
        self.0.checked_sub(1).map(EpochId)
    }
}

impl ProtocolVersion {
    /// The version after this one.
    pub fn next(self) -> ProtocolVersion {
        ProtocolVersion(self.0.saturating_add(1))
    }
}

/// Numbers that people write as digits, after a word: epoch 0, block 12.
macro_rules! digits {
    ($($name:ident),*) => { $(
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )* };
}

digits!(EpochId, Height, ProtocolVersion);

impl std::fmt::Display for OrganisationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "O-{:04}", self.0)
    }
}
